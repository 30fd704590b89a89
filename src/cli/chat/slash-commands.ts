import { helpText } from "./help-text.js";
import type { ChatScreen } from "./screen.js";
import { attach } from "./slash/attach.js";
import { copy } from "./slash/copy.js";
import * as data from "./slash/data.js";
import * as edits from "./slash/edits.js";
import { record } from "./slash/record.js";
import { retry } from "./slash/retry.js";
import * as session from "./slash/session.js";
import * as setup from "./slash/setup.js";
import type { SlashCommand } from "./slash/slash-command.js";
import * as user from "./slash/user.js";

const commandsOn = ({ lacks }: ChatScreen): SlashCommand[] =>
  COMMANDS.filter(({ name }) => !lacks.includes(name));

/** The commands of the REPL, in the order of `/help`. Parsing, Tab and `/help` read this table. */
export const COMMANDS: readonly SlashCommand[] = [
  {
    name: "user",
    argument: "[id]",
    summary: "switch to another user",
    completes: "users",
    turn: "at-once",
    run: user.user,
  },
  { name: "users", summary: "everyone who has a history", turn: "at-once", run: user.users },
  {
    name: "whoami",
    summary: "the active user, session and model",
    run: user.whoami,
  },
  {
    name: "as",
    argument: "<id> <message>",
    summary: "say one thing as someone else",
    completes: "users",
    turn: "after-replies",
    run: user.sayAs,
  },
  {
    name: "session",
    argument: "<name>",
    summary: "switch to another session of this user",
    completes: "sessions",
    run: session.session,
  },
  {
    name: "sessions",
    argument: "[n]",
    summary: "the latest sessions of this user",
    run: session.sessions,
  },
  { name: "new", argument: "[name]", summary: "begin a new session", run: session.newSession },
  {
    name: "history",
    argument: "[n]",
    summary: "the last messages of this session",
    run: data.history,
  },
  {
    name: "search",
    argument: "<words>",
    summary: "find words in this user's messages, not files",
    run: data.search,
  },
  { name: "size", summary: "how much is kept of this session", run: data.size },
  {
    name: "stats",
    argument: "[by]",
    summary: "tokens used, by day, model or session",
    run: data.stats,
  },
  { name: "state", summary: "the session state the tools keep", run: data.state },
  {
    name: "export",
    argument: "[file]",
    summary: "this session as .md, .html, .json or .jsonl",
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
    name: "undo",
    argument: "[n]",
    summary: "take back the last n messages and replies",
    turn: "after-replies",
    run: edits.undo,
  },
  {
    name: "fork",
    argument: "[name]",
    summary: "go on in a copy of this session",
    turn: "after-replies",
    run: edits.fork,
  },
  {
    name: "attach",
    argument: "[file]",
    summary: "send a file with your next message",
    completes: "files",
    turn: "after-replies",
    outlivesStop: true,
    run: attach,
  },
  {
    name: "copy",
    argument: "[code]",
    summary: "copy the last reply, or its last code block",
    run: copy,
  },
  {
    name: "edit",
    summary: "write the next message in your editor",
    run: ({ screen }, { speaker }) => screen.edit(speaker.userId),
  },
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
    name: "record",
    argument: "[file]",
    summary: "write what follows as a script; stop ends",
    turn: "after-replies",
    run: record,
  },
  {
    name: "help",
    aliases: ["?"],
    summary: "this list",
    turn: "at-once",
    run: ({ screen }) => screen.print(helpText(commandsOn(screen), screen)),
  },
  {
    name: "exit",
    aliases: ["quit", "bye"],
    summary: "leave; Ctrl-D does too",
    run: (repl) => {
      repl.isOver = true;
    },
  },
];
