import type { Context } from "../context.js";
import { modelOf } from "../open.js";
import { transcript } from "../script/transcript.js";

/** The REPL: on a terminal a conversation, else a script from stdin, strictly one line after the other. */
export async function repl(context: Context): Promise<number> {
  const { io, settings } = context;
  if (io.stdin.isTTY) {
    const { interactive } = await import("../repl/interactive.js");
    await interactive(context);
    return 0;
  }
  return transcript(context, {
    name: "stdin",
    source: io.stdin,
    model: await modelOf(context),
    store: settings.values.store,
    ownsHome: true,
    keepGoing: false,
    echo: false,
  });
}
