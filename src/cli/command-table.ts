import type { AskOptions } from "./commands/ask.js";
import type { ScriptOptions } from "./commands/run.js";
import type { Context } from "./context.js";
import type { Flags } from "./settings/settings.js";

/** A command's work. What it returns is the exit code; nothing means 0. */
export type Work<Options> = (
  context: Context,
  args: string[],
  options: Options,
) => Promise<number> | Promise<void>;

type OptionRow = readonly [flags: string, description: string];

/** A command's options by their names in the code, each as commander reads it and with its line of help. */
type OptionRows<Options> = Readonly<Record<keyof Options, OptionRow>>;

interface Spec<Options> {
  readonly name: string;
  readonly args?: string;
  readonly summary: string;
  readonly options?: OptionRows<Options>;
  readonly hidden?: boolean;
  /** The command has these settings, and no flag, variable or file changes them. */
  readonly fixed?: Flags;
  /** The command can repair the settings file, so it works whatever stands in there. */
  readonly mends?: boolean;
  readonly load: () => Promise<Work<Options>>;
}

export interface CommandSpec extends Omit<Spec<never>, "options"> {
  readonly options?: Readonly<Record<string, OptionRow>>;
}

/** Checks that a command's options are those its work takes. */
const row = <Options>(spec: Spec<Options>): CommandSpec => spec;

export const loadAsk = async (): Promise<Work<AskOptions>> =>
  (await import("./commands/ask.js")).ask;

/** What only `ask` takes, also as `-p`. */
export const ASK_OPTIONS: OptionRows<AskOptions> = {
  new: ["--new", "begin a new session of that user"],
  stdin: ["--no-stdin", "leave stdin alone"],
  raw: ["--raw", "the answer as the model wrote it, escape sequences and all"],
};

/** What only a script takes. */
export const SCRIPT_OPTIONS: OptionRows<ScriptOptions> = {
  keepGoing: ["--keep-going", "report every failure of a script, not only the first"],
};

/** One row a command; a command's file is loaded when it runs. */
export const COMMANDS: readonly CommandSpec[] = [
  row({
    name: "repl",
    args: "[words...]",
    summary: "talk in the terminal; the default",
    // With -p it is ask.
    options: { ...ASK_OPTIONS, ...SCRIPT_OPTIONS },
    hidden: true,
    load: async () => (await import("./commands/repl.js")).repl,
  }),
  row({
    name: "ask",
    args: "[prompt...]",
    summary: "ask once and print the answer; without a prompt, or with -, stdin is the prompt",
    options: ASK_OPTIONS,
    load: loadAsk,
  }),
  row({
    name: "users",
    summary: "list everyone who has a history",
    load: async () => (await import("./commands/users.js")).users,
  }),
  row({
    name: "size",
    summary: "count one user's messages, runs and bytes",
    load: async () => (await import("./commands/size.js")).size,
  }),
  row({
    name: "export",
    summary: "print one user's history",
    options: {
      format: ["--format <format>", "json, jsonl (one message a line) or md"],
      output: [
        "-o, --output <file>",
        "write to a file instead, unless nothing is kept; - is stdout",
      ],
      force: ["--force", "overwrite that file"],
    },
    load: async () => (await import("./commands/export.js")).exportHistory,
  }),
  row({
    name: "clear",
    summary: "delete one user's history and session state",
    options: {
      allUsers: ["--all-users", "delete everything of everyone"],
      dryRun: ["--dry-run", "only count what would be deleted"],
    },
    load: async () => (await import("./commands/clear.js")).clear,
  }),
  row({
    name: "context",
    summary: "show what the model would be sent next for one user",
    load: async () => (await import("./commands/context.js")).showContext,
  }),
  row({
    name: "run",
    args: "<script>",
    summary: "run a script of messages, /commands and ?expectations, with a verdict; - is stdin",
    options: SCRIPT_OPTIONS,
    load: async () => (await import("./commands/run.js")).run,
  }),
  row({
    name: "demo",
    summary: "watch alice and bob share one agent, offline, in ten seconds",
    fixed: { model: "demo", store: "memory:", tools: "notes" },
    load: async () => (await import("./commands/demo.js")).demo,
  }),
  row({
    name: "serve",
    summary: "serve the agent over HTTP and A2A",
    options: {
      host: ["--host <address>", "address to listen on (127.0.0.1)"],
      port: ["--port <number>", "port to listen on (8080); 0 means any free one"],
      allowAnonymous: [
        "--allow-anonymous",
        "let other machines in, though whoever comes may be any user",
      ],
      publicUrl: ["--public-url <url>", "address others know the server by, for the agent card"],
      trustedProxies: [
        "--trusted-proxies <addresses>",
        "by comma, those whose X-Forwarded-For and X-Forwarded-Proto count",
      ],
      keepAlive: ["--keep-alive <time>", "how long an idle connection stays open (65s)"],
      removeInactive: [
        "--remove-inactive <time>",
        "every hour delete everything of users idle that long",
      ],
    },
    load: async () => (await import("./commands/serve.js")).serve,
  }),
  row({
    name: "prune",
    summary: "delete everything of users who have been idle for long",
    options: {
      inactive: ["--inactive <time>", "how long is long, such as 90s, 30m, 24h or 7d"],
      dryRun: ["--dry-run", "only count them"],
    },
    load: async () => (await import("./commands/prune.js")).prune,
  }),
  row({
    name: "models",
    summary: "list the models of the server in use",
    load: async () => (await import("./commands/models.js")).models,
  }),
  row({
    name: "config",
    args: "[action] [name] [value]",
    mends: true,
    summary: "choose and try a model by questions; or list, get, set, unset, path",
    load: async () => (await import("./commands/config.js")).config,
  }),
];
