import { Command } from "commander";
import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { type CommonOptions, type Context, createContext } from "./context.js";
import type { Io } from "./io.js";
import type { Flags } from "./settings/settings.js";
import { VERSION } from "./version.js";

/** A command's work. What it returns is the exit code; nothing means 0. */
type Work = (
  context: Context,
  args: string[],
  options: Record<string, unknown>,
) => Promise<number> | Promise<void>;

interface CommandSpec {
  readonly name: string;
  readonly args?: string;
  readonly summary: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
  readonly hidden?: boolean;
  /** The command has these settings, and no flag, variable or file changes them. */
  readonly fixed?: Flags;
  /** The command can mend the settings file, so it works whatever stands in there. */
  readonly mends?: boolean;
  readonly load: () => Promise<Work>;
}

const loadAsk = async (): Promise<Work> => (await import("./commands/ask.js")).ask;

const ASK_OPTIONS: NonNullable<CommandSpec["options"]> = [
  ["--new", "begin a new session of that user"],
  ["--no-stdin", "leave stdin alone"],
  ["--raw", "the answer as the model wrote it, escape sequences and all"],
];

/** One row a command; a command's file is loaded when it runs. */
const COMMANDS: readonly CommandSpec[] = [
  {
    name: "repl",
    args: "[words...]",
    summary: "talk in the terminal; the default",
    // With -p it is ask.
    options: ASK_OPTIONS,
    hidden: true,
    load: async () => (await import("./commands/repl.js")).repl,
  },
  {
    name: "ask",
    args: "[prompt...]",
    summary: "ask once and print the answer; without a prompt, stdin is the prompt",
    options: ASK_OPTIONS,
    load: loadAsk,
  },
  {
    name: "users",
    summary: "list everyone who has a history",
    load: async () => (await import("./commands/users.js")).users,
  },
  {
    name: "size",
    summary: "count one user's messages, runs and bytes",
    load: async () => (await import("./commands/size.js")).size,
  },
  {
    name: "export",
    summary: "print one user's history",
    options: [
      ["--format <format>", "json, jsonl (one message a line) or md"],
      ["-o, --output <file>", "write to a file instead"],
      ["--force", "overwrite that file"],
    ],
    load: async () => (await import("./commands/export.js")).exportHistory,
  },
  {
    name: "clear",
    summary: "delete one user's history and session state",
    options: [["--all-users", "delete everything of everyone"]],
    load: async () => (await import("./commands/clear.js")).clear,
  },
  {
    name: "context",
    summary: "show what the model would be sent next for one user",
    load: async () => (await import("./commands/context.js")).showContext,
  },
  {
    name: "run",
    args: "<script>",
    summary: "run a script of messages, /commands and ?expectations, with a verdict",
    options: [["--keep-going", "report every failure, not only the first"]],
    load: async () => (await import("./commands/run.js")).run,
  },
  {
    name: "demo",
    summary: "watch alice and bob share one agent, offline, in ten seconds",
    fixed: { model: "demo", store: "memory:", tools: "notes" },
    load: async () => (await import("./commands/demo.js")).demo,
  },
  {
    name: "serve",
    summary: "serve the agent over HTTP and A2A",
    options: [
      ["--host <address>", "address to listen on (127.0.0.1)"],
      ["--port <number>", "port to listen on (8080); 0 means any free one"],
      ["--allow-anonymous", "let other machines in, though whoever comes may be any user"],
      ["--remove-inactive <time>", "every hour delete everything of users idle that long"],
    ],
    load: async () => (await import("./commands/serve.js")).serve,
  },
  {
    name: "prune",
    summary: "delete everything of users who have been idle for long",
    options: [
      ["--inactive <time>", "how long is long, such as 90s, 30m, 24h or 7d"],
      ["--dry-run", "only count them"],
    ],
    load: async () => (await import("./commands/prune.js")).prune,
  },
  {
    name: "models",
    summary: "list the models of the server in use",
    load: async () => (await import("./commands/models.js")).models,
  },
  {
    name: "config",
    args: "[action] [name] [value]",
    mends: true,
    summary: "choose and try a model by questions; or list, get, set, unset, path",
    load: async () => (await import("./commands/config.js")).config,
  },
];

/**
 * Parses the arguments and does what they ask for.
 * @returns the exit code
 * @throws {CommanderError} for arguments that cannot be meant, and after `--help`; else what the command threw
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  const program = rootCommand(io);
  for (const spec of COMMANDS)
    addCommand(program, spec).action(async (...parsed: unknown[]) => {
      const command = parsed.at(-1) as Command;
      exitCode = (await runCommand(program, { spec, command, io, signal })) ?? 0;
    });
  await program.parseAsync([...argv], { from: "user" });
  return exitCode;
}

const AFTER_HELP = `
Examples:
  agno-chat                                      talk; /user bob switches users
  agno-chat ask --user alice "My name is Alice"
  agno-chat size --user alice --json`;

/** The root takes the common options wherever they stand, before or after the command's name. */
function rootCommand(io: Io): Command {
  return (
    new Command("agno-chat")
      .description("One agent, many users, provably isolated, in your terminal.")
      .usage("[command] [options]")
      .exitOverride()
      // Errors are thrown, and reported in one place.
      .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} })
      .configureHelp({ showGlobalOptions: true })
      .helpCommand("help [command]", "explain a command")
      .addHelpText("after", AFTER_HELP)
      .option("-u, --user <id>", "user to talk as (AGNO_CHAT_USER)")
      .option("-s, --session <name>", "session of that user")
      .option("-m, --model <name>", "model that answers; demo is built in (AGNO_CHAT_MODEL)")
      .option("-p, --print <prompt>", "the same as ask")
      .option("--base-url <url>", "OpenAI-compatible server (OPENAI_BASE_URL)")
      .option("--api-key-env <name>", "environment variable that holds its key")
      .option("--store <store>", "sqlite:PATH or memory: (AGNO_CHAT_STORE)")
      .option("--system <text>", "instructions the model is given first")
      .option("--tools <names>", "toolkits by comma: calculator, clock, notes")
      .option("--timeout <seconds>", "seconds a reply may take")
      .option("--json", "one JSON document on stdout")
      .option("-q, --quiet", "no remarks on stderr")
      .option("--debug", "causes of an error on stderr, keys masked")
      .option("--no-color", "no colour (NO_COLOR)")
      .option("-y, --yes", "do not ask for confirmation")
      .version(VERSION, "-V, --version", "print the version")
      .helpOption("-h, --help", "show help")
  );
}

function addCommand(
  program: Command,
  { name, args, summary, options = [], hidden = false }: CommandSpec,
): Command {
  const command = program.command(name, { isDefault: name === "repl", hidden });
  if (args !== undefined) command.arguments(args);
  for (const [flags, description] of options) command.option(flags, description);
  return command.summary(summary).description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
}

interface Parsed {
  readonly spec: CommandSpec;
  readonly command: Command;
  readonly io: Io;
  readonly signal: AbortSignal;
}

async function runCommand(program: Command, { spec, command, io, signal }: Parsed) {
  const { print, ...common } = program.opts();
  const isAsk = typeof print === "string";
  if (isAsk && spec.name !== "repl" && spec.name !== "ask")
    throw new AgnoChatError("USAGE", `-p is the same as ask, and ${spec.name} is a command too.`, {
      hint: "Give one of them.",
    });
  if (spec.name === "repl" && !isAsk) refuseUnknown(program, command.args[0]);
  const work = isAsk ? await loadAsk() : await spec.load();
  const options = { json: false, quiet: false, debug: false, yes: false, ...common };
  const { fixed, mends } = spec;
  const parts = { io, options: options as CommonOptions, signal, fixed, mends };
  const context = await createContext(parts);
  return work(context, isAsk ? [print, ...command.args] : command.args, command.opts());
}

function refuseUnknown(program: Command, word: string | undefined): void {
  if (word === undefined) return;
  const known = COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name);
  const near = nearest(word, known);
  throw new AgnoChatError("USAGE", `There is no command ${JSON.stringify(word)}.`, {
    hint:
      near === undefined
        ? `Known: ${known.join(", ")}. To ask something: ${program.name()} ask "…"`
        : `Did you mean ${near}?`,
  });
}
