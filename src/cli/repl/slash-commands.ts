import type { Awaitable } from "../../memory/memory.js";
import * as conversation from "./commands/conversation.js";
import * as data from "./commands/data.js";
import { retry } from "./commands/retry.js";
import * as setup from "./commands/setup.js";
import * as who from "./commands/who.js";
import type { Repl } from "./repl.js";
import type { Who } from "./screen.js";

export interface CommandCall {
  /** What follows the name; may be empty. */
  readonly argument: string;
  readonly who: Who;
  readonly signal: AbortSignal;
}

export interface SlashCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** As `/help` shows it. */
  readonly argument?: string;
  readonly summary: string;
  /** What Tab offers for the argument. */
  readonly completes?: "users" | "sessions";
  /**
   * When it is done: "at-once"; "after-replies" as a message is; else in turn with the other commands, also while a reply
   * comes.
   */
  readonly turn?: "at-once" | "after-replies";
  readonly run: (repl: Repl, call: CommandCall) => Awaitable<void>;
}

/** Every command of the REPL, in the order of `/help`. Parsing, completion and help all read this table. */
export const COMMANDS: readonly SlashCommand[] = [
  {
    name: "user",
    argument: "[id]",
    summary: "switch to another user",
    completes: "users",
    turn: "at-once",
    run: who.user,
  },
  { name: "users", summary: "everyone who has a history", turn: "at-once", run: who.users },
  {
    name: "whoami",
    summary: "the active user, session and model",
    turn: "at-once",
    run: who.whoami,
  },
  {
    name: "as",
    argument: "<id> <message>",
    summary: "say one thing as someone else",
    completes: "users",
    turn: "after-replies",
    run: who.sayAs,
  },
  {
    name: "session",
    argument: "<name>",
    summary: "switch to another session of this user",
    completes: "sessions",
    run: who.session,
  },
  { name: "sessions", summary: "this user's sessions", run: who.sessions },
  { name: "new", argument: "[name]", summary: "begin a new session", run: who.newSession },
  {
    name: "history",
    argument: "[n]",
    summary: "the last messages of this session",
    run: data.history,
  },
  { name: "size", summary: "how much is kept of this session", run: data.size },
  { name: "state", summary: "the session state the tools keep", run: data.state },
  {
    name: "export",
    argument: "[file]",
    summary: "this session as .md, .json or .jsonl",
    run: data.exportSession,
  },
  {
    name: "clear",
    argument: "[session]",
    summary: "delete all of this user, or this session",
    turn: "after-replies",
    run: data.clear,
  },
  { name: "context", summary: "what the model would be sent next", run: data.context },
  {
    name: "retry",
    summary: "ask what failed, or the last question, again",
    turn: "after-replies",
    run: retry,
  },
  {
    name: "copy",
    argument: "[code]",
    summary: "copy the last reply, or its last code block",
    run: conversation.copy,
  },
  { name: "edit", summary: "write the next message in your editor", run: conversation.edit },
  {
    name: "model",
    argument: "[name]",
    summary: "show or change the model",
    turn: "after-replies",
    run: setup.model,
  },
  {
    name: "system",
    argument: "[text]",
    summary: "show or change the instructions",
    turn: "after-replies",
    run: setup.system,
  },
  { name: "tools", summary: "the tools the model may use", run: setup.tools },
  {
    name: "help",
    aliases: ["?"],
    summary: "this list",
    turn: "at-once",
    run: (repl) => repl.screen.print(helpText()),
  },
  { name: "exit", aliases: ["quit", "bye"], summary: "leave; Ctrl-D does too", run: setup.exit },
];

const KEYS = [
  'Ctrl-J new line · """ … """ on lines of their own: text, also help or bye',
  "//x sends /x · Ctrl-G editor · Ctrl-C, Esc stop a reply · Ctrl-R search · Tab",
];

/** One screen of 24 rows and 80 columns: every command, and two rows of keys. */
function helpText(): string {
  const usages = COMMANDS.map(
    ({ name, argument }) => `/${name}${argument === undefined ? "" : ` ${argument}`}`,
  );
  const width = Math.max(...usages.map((usage) => usage.length));
  const rows = COMMANDS.map(({ summary }, index) => `${usages[index]?.padEnd(width)}  ${summary}`);
  return [...rows, ...KEYS, ""].join("\n");
}
