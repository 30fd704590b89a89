import { asideName } from "./chat-input.js";
import type { Repl } from "./repl.js";
import type { SlashCommand } from "./slash/slash-command.js";
import { COMMANDS } from "./slash-commands.js";
import { typedNames } from "./typed-path.js";

/** The replacements for `text` that Tab offers: command names, then users, sessions or files. */
export async function completionsOf(repl: Repl, text: string): Promise<string[]> {
  const [, name, rest] = /^\/(\S*)(?:\s+(.*))?$/.exec(text) ?? [];
  if (name === undefined) return [];
  if (rest === undefined)
    return COMMANDS.map((command) => `/${command.name} `).filter((command) =>
      command.startsWith(text),
    );
  const takes = COMMANDS.find((command) => command.name === name)?.completes;
  if (takes === "files") return (await typedNames(rest)).map((path) => `/${name} ${path}`);
  if (/\s/.test(rest)) return [];
  const known = await wordsFor(repl, name, takes);
  const isMeant = (word: string) => word.startsWith(rest) || word.startsWith(`"${rest}`);
  return known.filter(isMeant).map((word) => `/${name} ${word}`);
}

async function wordsFor(
  repl: Repl,
  name: string,
  takes: SlashCommand["completes"],
): Promise<string[]> {
  if (takes === "users") {
    const users = (await repl.memory.users()).map(({ userId }) => userId);
    return name === "as" ? users.map(asideName) : users;
  }
  if (takes === "sessions")
    return (await repl.viewOf(repl.active).sessions()).map(({ sessionId }) => sessionId);
  return [];
}
