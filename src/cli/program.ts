import { type Command, Option } from "commander";
import { AgnoChatError } from "../errors.js";
import { createContext } from "./command-context.js";
import { type CommandSpec, reads } from "./command-spec.js";
import { ASK_OPTIONS, COMMANDS, loadAsk, SCRIPT_OPTIONS } from "./command-table.js";
import {
  addCommands,
  type Called,
  COMMON,
  givenFlags,
  rootCommand,
  Stopped,
  stopping,
} from "./command-tree.js";
import { type CommonName, EVERYWHERE } from "./common-options.js";
import type { Io } from "./io.js";
import type { Flags } from "./settings/settings.js";
import { SETTING_NAMES } from "./settings/settings-table.js";

/**
 * Parses the arguments and runs the command they name.
 * @returns the exit code
 * @throws {AgnoChatError} `USAGE` for invalid arguments; what the command throws
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  let before: ReadonlySet<CommonName> = new Set();
  const program = rootCommand(io);
  addCommands(program, commandsFor(argv), async (called) => {
    exitCode = (await runCommand(program, { ...called, before, io, signal })) ?? 0;
  });
  addHelpCommand(program);
  try {
    before = flagsBefore(program, argv);
    await program.parseAsync([...argv], { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    await stopped(thrown, io);
  }
  return exitCode;
}

/** Those that can be called, since to make them all takes longer than to parse; help lists all. */
const commandsFor = (argv: readonly string[]): readonly CommandSpec[] =>
  argv.some((word) => word === "help" || /^-.*h/.test(word))
    ? COMMANDS
    : COMMANDS.filter(({ name }) => name === "repl" || argv.includes(name));

/** The common flags that stand before the command, and so are meant for whatever follows. */
function flagsBefore(root: Command, argv: readonly string[]): ReadonlySet<CommonName> {
  root.enablePositionalOptions();
  root.parseOptions([...argv]);
  root.enablePositionalOptions(false);
  return new Set(givenFlags(root));
}

/** Our own help command, since commander's knows no commands below others. */
function addHelpCommand(program: Command): void {
  program
    .command("help")
    .arguments("[command...]")
    .summary("explain a command")
    .exitOverride(stopping(program, ""))
    .action(async (names: readonly string[]) => {
      (await import("./help.js")).commandNamed(program, names).help();
    });
}

/** What commander calls the end of `--help`, and that of `help`. */
const HELP_SHOWN: ReadonlySet<string> = new Set(["commander.helpDisplayed", "commander.help"]);

/** Help and errors are loaded only when there are any. */
async function stopped({ command, path, cause }: Stopped, io: Io): Promise<void> {
  if (HELP_SHOWN.has(cause.code)) {
    const { helpText } = await import("./help.js");
    io.stdout.write(helpText(command, path));
  } else if (cause.exitCode !== 0) throw (await import("./usage-error.js")).usageError(cause, path);
}

interface Parsed extends Called {
  /** The common flags that stand before the command. */
  readonly before: ReadonlySet<CommonName>;
  readonly io: Io;
  readonly signal: AbortSignal;
}

async function runCommand(program: Command, parsed: Parsed) {
  const { spec, path, command, before, io, signal } = parsed;
  const { print, json = false, quiet = false, debug = false, color, yes = false } = program.opts();
  const { save = true } = program.opts();
  const isAsk = typeof print === "string";
  if (isAsk && spec.name !== "repl" && spec.name !== "ask")
    throw new AgnoChatError("USAGE", `-p means ask, so it does not go with ${spec.name}.`, {
      hint: "Give only one of them.",
    });
  const [word] = command.args;
  if (spec.name === "repl" && !isAsk && word !== undefined) await refuse(word);
  if (spec.name === "repl") refuseOptions(command, isAsk);
  await refuseUnread(
    spec,
    path,
    givenFlags(program).filter((name) => !before.has(name)),
  );
  const work = isAsk ? await loadAsk() : await spec.load();
  const options = { json, quiet, debug, color, yes, save };
  const { fixed, repairsSettings, options: rows = {} } = spec;
  const flags = save ? flagsOf(program) : unsaved(flagsOf(program), spec);
  const given = command.opts();
  const config = typeof given.config === "string" ? { path: given.config, rows } : undefined;
  const context = await createContext({
    ...{ io, options, flags, signal, fixed, repairsSettings, config },
  });
  const args = isAsk ? [print, ...command.args] : command.args;
  for (const [name, value] of Object.entries(context.fileOptions))
    if (given[name] === undefined) command.setOptionValueWithSource(name, value, "config");
  return work(context, args, command.opts());
}

/** Nothing is asked is what `--yes` wants; the others are refused wherever they stand, below. */
const LEFT_ALONE: readonly CommonName[] = ["yes", "print", "save"];

/** @param given The common flags behind the command: those before it may be for every command. */
async function refuseUnread(
  spec: CommandSpec,
  path: string,
  given: readonly CommonName[],
): Promise<void> {
  const { refuses = [] } = spec;
  const allowed: readonly CommonName[] = [...EVERYWHERE, ...LEFT_ALONE, ...refuses];
  const unread = given.find((name) => !reads(spec, name) && !allowed.includes(name));
  if (unread !== undefined) throw (await import("./usage-error.js")).unreadFlag(path, unread);
}

/** The settings that were given as flags. */
function flagsOf(program: Command): Flags {
  const named = SETTING_NAMES.map((name) => {
    const option = COMMON.get(name);
    return [name, option && program.getOptionValue(option.attributeName())] as const;
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** `--no-save`: the conversation begins empty, in this process alone. */
function unsaved(flags: Flags, spec: CommandSpec): Flags {
  if (!reads(spec, "save"))
    throw new AgnoChatError("USAGE", `--no-save does not go with ${spec.name}.`, {
      hint: "It is for the chat, ask and run.",
    });
  if (flags.store === undefined) return { ...flags, store: "memory:" };
  throw new AgnoChatError("USAGE", "--no-save keeps nothing, so it does not go with --store.", {
    hint: "Give only one of them.",
  });
}

/** The root is `ask` with -p and the REPL without it: refuses the options of the other one. */
function refuseOptions(command: Command, isAsk: boolean): void {
  for (const [flag] of Object.values(isAsk ? SCRIPT_OPTIONS : ASK_OPTIONS)) {
    const isGiven = command.getOptionValueSource(new Option(flag).attributeName()) === "cli";
    if (isGiven)
      throw new AgnoChatError(
        "USAGE",
        `${flag} ${isAsk ? "does not go with -p" : "needs -p or ask"}.`,
      );
  }
}

async function refuse(word: string): Promise<never> {
  throw (await import("./usage-error.js")).unknownCommand(word);
}
