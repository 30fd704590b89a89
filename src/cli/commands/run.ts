import { Readable } from "node:stream";
import type { Context } from "../command-context.js";
import { readNamedFile } from "../named-file.js";
import { openConfiguredModel, storeOf } from "../open-agent.js";
import { runScriptSession } from "../script/script-session.js";
import { unreadableFile } from "../unreadable-file.js";

export interface ScriptOptions {
  /** Go on after a failure and report all of them. */
  readonly keepGoing?: boolean;
}

/** `run`: runs a chat script, checks its expectations and prints a summary. */
export async function run(
  context: Context,
  [file = ""]: string[],
  { keepGoing = false }: ScriptOptions,
): Promise<number> {
  const isStdin = file === "-";
  return runScriptSession(context, {
    name: isStdin ? "stdin" : file,
    source: isStdin ? context.io.stdin : Readable.from([await contentOf(context, file)]),
    model: await openConfiguredModel(context),
    store: ownStore(context),
    ownsHome: isHomeNamed(context),
    mayDelete: true,
    keepGoing,
    echo: true,
  });
}

async function contentOf({ signal }: Context, file: string): Promise<Uint8Array> {
  try {
    return await readNamedFile(file, signal);
  } catch (cause) {
    throw unreadableFile(`the script ${JSON.stringify(file)}`, cause);
  }
}

/**
 * A temporary memory, unless `--store` or AGNO_CHAT_HOME is given, so that a script never changes
 * real data by accident.
 */
const ownStore = (context: Context): string =>
  context.settings.origins.store === "flag" || isHomeNamed(context) ? storeOf(context) : "memory:";

const isHomeNamed = ({ io }: Context): boolean => Boolean(io.env.AGNO_CHAT_HOME);
