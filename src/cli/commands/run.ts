import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { AgnoChatError } from "../../errors.js";
import { systemReason } from "../../system-errors.js";
import type { Context } from "../context.js";
import { modelOf, storeOf } from "../open.js";
import { transcript } from "../script/transcript.js";

export interface ScriptOptions {
  /** Report every failure, not only the first. */
  readonly keepGoing?: boolean;
}

/** `run`: a script of the REPL, with a verdict. */
export async function run(
  context: Context,
  [file = ""]: string[],
  { keepGoing = false }: ScriptOptions,
): Promise<number> {
  const isStdin = file === "-";
  return transcript(context, {
    name: isStdin ? "stdin" : file,
    source: isStdin ? context.io.stdin : Readable.from([await contentOf(file)]),
    model: await modelOf(context),
    store: ownStore(context),
    ownsHome: isHomeNamed(context),
    mayDelete: true,
    keepGoing,
    echo: true,
  });
}

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = systemReason(cause) ?? "unknown reason";
    throw new AgnoChatError(
      "FILE_UNREADABLE",
      `Cannot read the script ${JSON.stringify(file)}: ${reason}.`,
      { cause },
    );
  }
}

/** A throw-away memory unless a store was named here, so that a script touches nobody's data by accident. */
const ownStore = (context: Context): string =>
  context.settings.origins.store === "flag" || isHomeNamed(context) ? storeOf(context) : "memory:";

const isHomeNamed = ({ io }: Context): boolean => Boolean(io.env.AGNO_CHAT_HOME);
