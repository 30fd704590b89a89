import { COMMANDS as SLASH_COMMANDS } from "../chat/slash-commands.js";
import type { CommandSpec } from "../command-spec.js";
import { COMMANDS } from "../command-table.js";
import {
  COMMON_OPTIONS,
  type CommonName,
  commonFlag,
  HELP_OPTION,
  VERSION_OPTION,
} from "../common-options.js";
import { explainedRows } from "../help.js";
import type { OptionRow } from "../option-row.js";
import { type Definition, SETTING_NAMES, SETTINGS } from "../settings/settings-table.js";
import { VERSION } from "../version.js";
import { EXIT_CODES } from "./exit-codes.js";
import { bold, example, item, plain, type Roff, section, subsection, syntax } from "./roff.js";

/** The manual page agno-chat(1), from the tables of commands, settings and exit codes. */
export const manPage = (): Roff =>
  `${[
    `.TH AGNO\\-CHAT 1 "" "agno\\-chat ${plain(VERSION)}" "User Commands"`,
    section("NAME", `${plain("agno-chat")} \\- one agent, many users, provably isolated`),
    section(
      "SYNOPSIS",
      `${bold("agno-chat")} [\\fIoptions\\fR]`,
      ".br",
      `${bold("agno-chat")} \\fIcommand\\fR [\\fIarguments\\fR] [\\fIoptions\\fR]`,
    ),
    section("DESCRIPTION", DESCRIPTION.map(plain).join(BREAK)),
    section("OPTIONS", plain(OPTIONS), ...commonOptions()),
    section("COMMANDS", ...COMMANDS.filter(({ hidden }) => !hidden).map((spec) => entryOf(spec))),
    section("SLASH COMMANDS", plain("In the chat:"), ...slashCommands()),
    section("ENVIRONMENT", ...environment()),
    section("FILES", ...FILES.map(([name, about]) => item(bold(name), plain(about)))),
    section(
      "EXIT STATUS",
      ...EXIT_CODES.map(([codes, meaning]) =>
        item(bold(codes), plain(meaning.replaceAll("`", ""))),
      ),
    ),
    section(
      "EXAMPLES",
      EXAMPLES.map(([about, ...lines]) => `${plain(about)}\n${example(lines)}`).join(BREAK),
    ),
  ].join("\n")}\n`;

/** Between two paragraphs. */
const BREAK = "\n.PP\n";

const DESCRIPTION = [
  "One agent serves any number of users. Each has a conversation history and a session state that no other user can reach: in the terminal, in a script, from a program, and over HTTP and A2A.",
  "Without a command it chats in the terminal. Standard output carries the answer, standard error everything else. With input that is no terminal, it runs a script from there, one line after the other.",
  "A flag wins over the environment, the environment over the settings file, and the file over the default.",
];

const OPTIONS =
  "They stand before or after the command. --quiet, --debug and --no-color go with every command, the others with those that name them below. Another one is refused behind a command; before it, it means nothing.";

const rowsOf = (rows: readonly OptionRow[]): Roff[] =>
  rows.map(([flags, description]) => item(syntax(flags), plain(description)));

function commonOptions(): Roff[] {
  const settings = SETTING_NAMES.flatMap((name) => {
    const { flag, describe, otherwise }: Definition = SETTINGS[name];
    const about = otherwise === undefined ? describe : `${describe} (default: ${otherwise})`;
    return flag === undefined ? [] : [[flag, about] as const];
  });
  const others = [...COMMON_OPTIONS].flatMap(([name, row]) => (isSetting(name) ? [] : [row]));
  return rowsOf([...settings, ...others, VERSION_OPTION, HELP_OPTION]);
}

const isSetting = (name: CommonName): boolean => Object.hasOwn(SETTINGS, name);

function entryOf(spec: CommandSpec, above = ""): Roff {
  const { name, args, summary, options = {}, also = [], commands = [] } = spec;
  const path = `${above}${name}`;
  const title = syntax(args === undefined || commands.length > 0 ? path : `${path} ${args}`);
  const flags = also.map(commonFlag).filter((flag) => flag !== undefined);
  return [
    subsection(title, sentence(summary)),
    ...rowsOf([...Object.values(options), ...explainedRows(spec)]),
    ...(flags.length === 0 ? [] : [`.PP\n${plain(`Also: ${flags.join(", ")}.`)}`]),
    ...commands.map((below) => entryOf(below, `${path} `)),
  ].join("\n");
}

const slashCommands = (): Roff[] =>
  SLASH_COMMANDS.map(({ name, aliases = [], argument, summary }) => {
    const names = [name, ...aliases].map((each) => `/${each}`).join(", ");
    return item(syntax(argument === undefined ? names : `${names} ${argument}`), plain(summary));
  });

const environment = (): Roff[] => [
  ...SETTING_NAMES.flatMap((name) => {
    const { env, describe }: Definition = SETTINGS[name];
    return env === undefined ? [] : [item(bold(env), plain(describe))];
  }),
  ...VARIABLES.map(([name, about]) => item(bold(name), plain(about))),
];

const VARIABLES = [
  ["AGNO_CHAT_HOME", "folder of all data and settings (default: ~/.agno-chat)"],
  ["AGNO_CHAT_NO_HISTORY", "with 1, what is typed is not kept for Up and Ctrl-R"],
  ["NO_COLOR, FORCE_COLOR", "without colour; with colour also in a pipe"],
  ["HTTPS_PROXY, NO_PROXY", "proxy for the model's server, and hosts to reach without it"],
  ["VISUAL, EDITOR", "editor of /edit and Ctrl-G"],
] as const;

const FILES = [
  ["~/.agno-chat/chat.db", "the conversations, unless --store names another place"],
  ["~/.agno-chat/settings.json", "the settings; see agno-chat config"],
  ["~/.agno-chat/input/", "what each user has typed, for Up and Ctrl-R, in a file each"],
] as const;

const EXAMPLES = [
  ["Chat as alice; /user bob switches users:", "agno-chat --user alice"],
  ["Ask once, with what another command prints:", 'git diff | agno-chat ask "Review this"'],
  ["Use a local model:", "agno-chat --base-url http://localhost:11434/v1 --model qwen3"],
  [
    "Export a user's history, then delete it:",
    "agno-chat export --user alice -o alice.md",
    "agno-chat clear --user alice",
  ],
  ["Prove that no user reaches another's texts:", "agno-chat verify"],
] as const;

/** A line of help as a sentence. */
const sentence = (text: string): Roff => plain(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
