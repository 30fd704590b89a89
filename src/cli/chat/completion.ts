import { AgnoChatError } from "../../errors.js";
import type { NamesQuery } from "../../memory/copy-store.js";
import { asideName } from "./chat-input.js";
import type { Repl } from "./repl.js";
import { COMMANDS } from "./slash-commands.js";
import { typedNames } from "./typed-path.js";

/** More would help nobody, and may not fit in memory. */
const MOST_NAMES = 1_000;

/** Names of users or sessions, as `knownNames` finds them. */
export type FindNames = (query: NamesQuery) => Promise<readonly string[]>;

/** The replacements for `text` that Tab offers: command names, then users, sessions or files. */
export async function completionsOf(
  repl: Repl,
  text: string,
  findNames: FindNames,
): Promise<string[]> {
  const [, name, rest] = /^\/(\S*)(?:\s+(.*))?$/.exec(text) ?? [];
  if (name === undefined) return [];
  if (rest === undefined)
    return COMMANDS.map((command) => `/${command.name} `).filter((command) =>
      command.startsWith(text),
    );
  const takes = COMMANDS.find((command) => command.name === name)?.completes;
  if (takes === "files") return (await typedNames(rest)).map((path) => `/${name} ${path}`);
  if (takes === undefined || /\s/.test(rest)) return [];
  const prefix = name === "as" && rest.startsWith('"') ? rest.slice(1) : rest;
  const of = takes === "sessions" ? { sessionsOf: repl.active.userId } : {};
  const names = await findNames({ ...of, prefix, limit: MOST_NAMES + 1 });
  if (names.length > MOST_NAMES) throw tooMany(takes);
  const words = name === "as" ? names.map(asideName) : names;
  const isMeant = (word: string) => word.startsWith(rest) || word.startsWith(`"${rest}`);
  return words.filter(isMeant).map((word) => `/${name} ${word}`);
}

const tooMany = (what: string): AgnoChatError =>
  new AgnoChatError("USAGE", `More than ${MOST_NAMES} ${what} begin like this.`);
