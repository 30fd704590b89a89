import { createReadStream } from "node:fs";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../context.js";
import { modelOf } from "../open.js";
import { transcript } from "../script/transcript.js";

/** `run`: a script of the REPL, with a verdict. */
export async function run(
  context: Context,
  [file = ""]: string[],
  options: Record<string, unknown>,
): Promise<number> {
  return transcript(context, {
    name: file,
    source: readable(file),
    model: await modelOf(context),
    store: ownStore(context),
    keepGoing: options.keepGoing === true,
    echo: true,
  });
}

/** A throw-away memory unless a store was named here, so that a script touches nobody's data by accident. */
const ownStore = ({ settings, io }: Context): string =>
  settings.origins.store === "flag" || io.env.AGNO_CHAT_HOME ? settings.values.store : "memory:";

async function* readable(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AgnoChatError(
      "FILE_UNREADABLE",
      `Cannot read the script ${JSON.stringify(file)} (${code}).`,
      { cause },
    );
  }
}
