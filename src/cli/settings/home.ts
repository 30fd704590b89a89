import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { AgnoChatError } from "../../errors.js";
import type { Io } from "../io.js";

/**
 * The folder of all data and settings: `AGNO_CHAT_HOME`, or `.agno-chat` in the account's home
 * folder. It may not exist yet. Undefined when the account has no usable home folder; the working
 * folder is never used instead.
 */
export function homeOf(env: Io["env"]): string | undefined {
  if (env.AGNO_CHAT_HOME) return resolve(env.AGNO_CHAT_HOME);
  const account = homeOfAccount();
  return isAbsolute(account) ? join(account, ".agno-chat") : undefined;
}

/** @throws {AgnoChatError} `CONFIG_INVALID` when there is none */
export function requireHome(home: string | undefined): string {
  if (home !== undefined) return home;
  throw new AgnoChatError("CONFIG_INVALID", "There is no home folder for data and settings.", {
    hint: "Name a folder for data and settings in AGNO_CHAT_HOME, or set HOME to a full path.",
  });
}

/** HOME, which may be empty or relative, or the folder in the system's account database. */
function homeOfAccount(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
