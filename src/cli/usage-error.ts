import type { CommanderError } from "commander";
import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { type CommandSpec, reads } from "./command-spec.js";
import { COMMANDS, commandsByPath } from "./command-table.js";
import { COMMON_OPTIONS, type CommonName, commonFlag, EVERYWHERE } from "./common-options.js";
import { EXAMPLES } from "./examples.js";
import { partsOf } from "./option-row.js";

/**
 * What commander says of wrong arguments, as a sentence with a capital and a full stop.
 * @param path The command, such as `store init`; empty for the program itself.
 */
export function usageError({ code, message }: CommanderError, path: string): AgnoChatError {
  const [what = ""] = message.replace(/^error: /, "").split("\n");
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.$/, "")}.`;
  const see = `See ${["agno-chat", path, "--help"].filter((word) => word !== "").join(" ")}.`;
  if (code !== "commander.unknownOption")
    return new AgnoChatError("USAGE", sentence, {
      hint: argumentHint(code, path) ?? see,
    });
  const [, flag = ""] = /'(--?[\w-]+)/.exec(what) ?? [];
  const hint =
    (flag === "-v" ? HABITS.version : undefined) ??
    homeHint(flag) ??
    nearFlagHint(flag, path) ??
    `${see} Put text that begins with a dash after "--".`;
  return new AgnoChatError("USAGE", sentence, { hint });
}

/** A word too many may be a user: `agno-chat size alice`. */
function argumentHint(code: string, path: string): string | undefined {
  const [example] = EXAMPLES[path] ?? [];
  if (code === "commander.missingArgument" && example !== undefined)
    return `For example: ${example}`;
  const spec = commandsByPath().get(path);
  const isUser = code === "commander.excessArguments" && spec !== undefined && reads(spec, "user");
  return isUser ? `Name the user with --user: agno-chat ${path} --user alice.` : undefined;
}

/** What other programs have. */
const HABITS: Readonly<Partial<Record<string, string>>> = {
  chat: "agno-chat alone is the chat.",
  version: "agno-chat --version shows the version.",
};

/** @param word What stands where a command should. */
export function unknownCommand(word: string): AgnoChatError {
  const known = COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name);
  // Happens only for `agno-chat repl COMMAND`.
  if (known.includes(word))
    return new AgnoChatError("USAGE", `repl takes no arguments, but got ${JSON.stringify(word)}.`, {
      hint: `Run: agno-chat ${word}`,
    });
  const near = nearest(word, word.includes(" ") ? [...commandsByPath().keys()] : known);
  const hint =
    (Object.hasOwn(HABITS, word) ? HABITS[word] : undefined) ??
    (near === undefined ? chatHint(word) : `Did you mean ${near}?`) ??
    `Known: ${known.join(", ")}. To ask something: agno-chat ask "…"`;
  return new AgnoChatError("USAGE", `There is no command ${JSON.stringify(word)}.`, { hint });
}

/** Commands that the chat alone has. To read them from its table would load the chat. */
const OF_THE_CHAT: ReadonlySet<string> = new Set([
  ...["user", "whoami", "as", "session", "sessions", "new", "history", "state", "retry", "undo"],
  ...["fork", "attach", "copy", "edit", "model", "system", "tools", "record", "exit"],
]);

const chatHint = (word: string): string | undefined =>
  OF_THE_CHAT.has(word) ? `In the chat: /${word}` : undefined;

/** A common flag behind a command that does not read it would do nothing. */
export function unreadFlag(path: string, name: CommonName): AgnoChatError {
  const flag = commonFlag(name);
  // `limit set` has the limits of one user by their plain names.
  const own = ownFlags(commandsByPath().get(path)).find(
    (each) => each.replace("--", "--max-") === flag,
  );
  const readers = pathsWhere((spec) => reads(spec, name));
  return new AgnoChatError("USAGE", `${path} does not use ${flag}.`, {
    hint:
      own === undefined
        ? `It is for ${listed(readers)}; see agno-chat ${path} --help.`
        : `Did you mean ${own}?`,
  });
}

const ownFlags = (spec: CommandSpec | undefined): string[] =>
  Object.values(spec?.options ?? {}).flatMap(([flags]) => partsOf(flags).names);

/** Which commands have a flag that another one has not. */
function homeHint(flag: string): string | undefined {
  const homes = pathsWhere((spec) => ownFlags(spec).includes(flag));
  return homes.length === 0 ? undefined : `It is an option of ${listed(homes)}.`;
}

/** Compares without the dashes, which would make any two short flags alike. */
function nearFlagHint(flag: string, path: string): string | undefined {
  const spec = commandsByPath().get(path);
  const isRead = (name: CommonName) =>
    spec === undefined || reads(spec, name) || EVERYWHERE.includes(name);
  const common = [...COMMON_OPTIONS.keys()].filter(isRead).map(commonFlag);
  const known = [...ownFlags(spec), ...common, "--help"]
    .filter((name) => name?.startsWith("--"))
    .map((name) => `${name}`.slice(2));
  const near = nearest(flag.replace(/^-+/, ""), known);
  return near === undefined ? undefined : `Did you mean --${near}?`;
}

const pathsWhere = (isOne: (spec: CommandSpec) => boolean): string[] =>
  [...commandsByPath()]
    .filter(([, spec]) => isOne(spec))
    .map(([path, { hidden }]) => (hidden ? "the chat" : path));

const MOST_NAMED = 5;

function listed(paths: readonly string[]): string {
  const named = paths.length > MOST_NAMED + 1 ? paths.slice(0, MOST_NAMED) : paths;
  const rest = paths.length - named.length;
  const all = rest === 0 ? named : [...named, `${rest} more`];
  return all.join(", ").replace(/, ([^,]+)$/, " and $1");
}
