import { AgnoChatError } from "../../errors.js";
import type { Context } from "../command-context.js";
import type { ScriptOptions } from "./run.js";

/**
 * `repl`: a chat when stdin is a terminal, otherwise a script from stdin, strictly one line after
 * the other.
 */
export async function repl(
  context: Context,
  _words: string[],
  { keepGoing = false }: ScriptOptions,
): Promise<number> {
  const { io, options } = context;
  if (io.stdin.isTTY) {
    if (keepGoing)
      throw new AgnoChatError("USAGE", "--keep-going is for scripts, and stdin is a terminal.", {
        hint: "agno-chat --keep-going < chat.script",
      });
    await (await import("../chat/chat-on-terminal.js")).chatOnTerminal(context);
    return 0;
  }
  const [{ openConfiguredModel, storeOf }, { runScriptSession }] = await Promise.all([
    import("../open-agent.js"),
    import("../script/script-session.js"),
  ]);
  return runScriptSession(context, {
    name: "stdin",
    source: io.stdin,
    model: await openConfiguredModel(context),
    store: storeOf(context),
    ownsHome: true,
    mayDelete: options.yes,
    keepGoing,
    echo: false,
  });
}
