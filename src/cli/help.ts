import { type Command, Help, type HelpConfiguration, Option } from "commander";
import { type CommandSpec, reads } from "./command-spec.js";
import { commandsByPath } from "./command-table.js";
import {
  COMMON_OPTIONS,
  type CommonName,
  commonFlag,
  EVERYWHERE,
  HELP_OPTION,
  VERSION_OPTION,
} from "./common-options.js";
import { EXAMPLES } from "./examples.js";
import type { OptionRow } from "./option-row.js";
import { unknownCommand } from "./usage-error.js";

/** In columns, also on a wider terminal: long lines are hard to read. */
const WIDTH = 80;

/** A longer term has a line of its own. */
const WIDEST_TERM = 26;

/**
 * The help of a command, from the table: the options that it reads, its own first, and examples.
 * @param path Such as `store init`; empty for the program.
 */
export function helpText(command: Command, path: string): string {
  refuseUnknownBelow(command, path);
  const spec = commandsByPath().get(path);
  const rows = spec === undefined ? programOptions : () => ownOptions(spec);
  if (spec === undefined)
    for (const below of command.commands) below.helpGroup(headingFor(below.name()));
  const help = command.configureHelp({ ...LAYOUT, visibleOptions: rows }).helpInformation();
  const examples = spec === undefined ? PROGRAM_EXAMPLES : examplesOf(path);
  const lines = examples.map((line) => `  ${line}`).join("\n");
  return `${help}${spec === undefined ? "" : namedText(spec)}\nExamples:\n${lines}\n`;
}

/** @throws {AgnoChatError} `USAGE` when there is none of these names, each below the one before */
export function commandNamed(program: Command, names: readonly string[]): Command {
  let command: Command | undefined = program;
  for (const name of names) command = command?.commands.find((below) => below.name() === name);
  if (command === undefined) throw unknownCommand(names.join(" "));
  return command;
}

/** The help of `store` in place of that of `store chekc` would hide that nothing has this name. */
function refuseUnknownBelow(command: Command, path: string): void {
  const [word] = command.args;
  const isCommand =
    word !== undefined && !word.startsWith("-") && command.opts().print === undefined;
  const known = command.commands.map((below) => below.name());
  if (isCommand && known.length > 0 && !known.includes(word))
    throw unknownCommand(`${path} ${word}`.trimStart());
}

const LAYOUT: HelpConfiguration = {
  helpWidth: WIDTH,
  // Nearly every command has options.
  subcommandTerm: (command) => new Help().subcommandTerm(command).replace(" [options]", ""),
  padWidth: (command, helper) =>
    Math.min(
      WIDEST_TERM,
      Math.max(
        helper.longestOptionTermLength(command, helper),
        helper.longestSubcommandTermLength(command, helper),
      ),
    ),
  formatItem(term, width, description, helper) {
    const behind = (shown: string): string =>
      Help.prototype.formatItem.call(helper, shown, width, description, helper);
    return term.length > width ? `  ${term}\n${behind("")}` : behind(term);
  },
};

/** The headings of the program's commands. */
const COMMAND_HEADINGS: Readonly<Record<string, readonly string[]>> = {
  Chat: ["repl", "ask", "run", "demo"],
  "One user's history": ["size", "search", "stats", "export", "import", "clear", "context"],
  "All users": ["users", "backup", "prune", "store"],
  Servers: ["serve", "token", "limit"],
};

/** Whatever is in none of them. */
const LAST_HEADING = "Setup and proof";

const headingFor = (name: string): string => {
  const headings = Object.entries(COMMAND_HEADINGS);
  return `${headings.find(([, names]) => names.includes(name))?.[0] ?? LAST_HEADING}:`;
};

/** The headings of the program's own options. */
const HEADINGS: Readonly<Record<string, readonly CommonName[]>> = {
  "Who and where": ["user", "session", "store", "lease"],
  Model: ["model", "baseUrl", "apiKeyEnv", "system", "tools", "timeout"],
  "History and limits": [
    ...(["historyLimit", "historyTokens", "maxRequestsPerMinute", "maxRunsAtOnce"] as const),
    ...(["maxTokensPerDay", "maxBytesKept", "prices"] as const),
  ],
  Output: ["json", "quiet", "debug", "color"],
  Other: ["print", "yes", "save"],
};

const programOptions = (): Option[] => [
  ...Object.entries(HEADINGS).flatMap(([heading, names]) =>
    names.map((name) => optionOf(COMMON_OPTIONS.get(name) as OptionRow).helpGroup(`${heading}:`)),
  ),
  ...[VERSION_OPTION, HELP_OPTION].map((row) => optionOf(row).helpGroup("Other:")),
];

const ownOptions = (spec: CommandSpec): Option[] =>
  [...Object.values(spec.options ?? {}), ...explainedRows(spec), HELP_OPTION].map(optionOf);

const optionOf = ([flags, description]: OptionRow): Option => new Option(flags, description);

/** The common flags that a command's help explains. */
export const explainedRows = ({ uses = {} }: CommandSpec): readonly OptionRow[] =>
  [...COMMON_OPTIONS].flatMap(([name, [flags, usual]]): OptionRow[] => {
    const line = uses[name];
    return line === undefined ? [] : [[flags, line === true ? usual : line]];
  });

/** The common flags that it only names. */
function namedText(spec: CommandSpec): string {
  const named = [...COMMON_OPTIONS.keys()].filter(
    (name) => !spec.uses?.[name] && (reads(spec, name) || EVERYWHERE.includes(name)),
  );
  const text = `Also, explained in agno-chat --help: ${named.map(commonFlag).join(", ")}.`;
  return `\n${new Help().boxWrap(text, WIDTH)}\n`;
}

const PROGRAM_EXAMPLES = [
  "agno-chat -u alice                         # chat; /user bob switches users",
  'agno-chat ask "My name is Alice" -u alice  # one answer',
  "agno-chat search --help                    # what one command takes",
];

/** A command with others below it has one of each. */
function examplesOf(path: string): readonly string[] {
  const below = Object.entries(EXAMPLES).filter(([name]) => name.startsWith(`${path} `));
  return EXAMPLES[path] ?? below.flatMap(([, [first = ""]]) => first);
}
