import { Command, Option } from "commander";
import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { createContext } from "./command-context.js";
import {
  ASK_OPTIONS,
  COMMANDS,
  type CommandSpec,
  loadAsk,
  SCRIPT_OPTIONS,
} from "./command-table.js";
import { COMMON_OPTIONS, HELP_OPTION, VERSION_OPTION } from "./common-options.js";
import type { Io } from "./io.js";
import type { Flags } from "./settings/settings.js";
import { type Definition, longFlagOf, SETTING_NAMES, SETTINGS } from "./settings/settings-table.js";
import { VERSION } from "./version.js";

/**
 * Parses the arguments and runs the command they name.
 * @returns the exit code
 * @throws {CommanderError} for invalid arguments and after `--help`
 * @throws what the command throws
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  const program = rootCommand(io);
  addCommands(program, COMMANDS, async (spec, command) => {
    exitCode = (await runCommand(program, { spec, command, io, signal })) ?? 0;
  });
  addHelpCommand(program);
  await program.parseAsync([...argv], { from: "user" });
  return exitCode;
}

const AFTER_HELP = `
Examples:
  agno-chat                                      chat; /user bob switches users
  agno-chat ask --user alice "My name is Alice"
  agno-chat size --user alice --json`;

/** The common options belong to the root, so they work before and after the command's name. */
function rootCommand(io: Io): Command {
  const root = new Command("agno-chat");
  for (const name of SETTING_NAMES) addSetting(root, SETTINGS[name]);
  for (const [flags, description] of COMMON_OPTIONS) root.option(flags, description);
  return (
    root
      .description("One agent, many users, provably isolated, in your terminal.")
      .usage("[command] [options]")
      .exitOverride()
      // commander throws its errors; main reports them.
      .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} })
      .configureHelp({ showGlobalOptions: true })
      .helpCommand(false)
      .addHelpText("after", AFTER_HELP)
      .version(VERSION, ...VERSION_OPTION)
      .helpOption(...HELP_OPTION)
  );
}

function addSetting(root: Command, { flag, describe, env }: Definition): void {
  if (flag !== undefined) root.option(flag, env === undefined ? describe : `${describe} (${env})`);
}

type Run = (spec: CommandSpec, command: Command) => Promise<void>;

function addCommands(parent: Command, specs: readonly CommandSpec[], run: Run): void {
  for (const spec of specs) {
    const command = addCommand(parent, spec);
    command.action((...parsed: unknown[]) => run(spec, parsed.at(-1) as Command));
    addCommands(command, spec.commands ?? [], run);
  }
}

function addCommand(
  parent: Command,
  { name, args, summary, options = {}, hidden = false }: CommandSpec,
): Command {
  const command = parent.command(name, { isDefault: name === "repl", hidden });
  if (args !== undefined) command.arguments(args);
  for (const [flags, description, , repeats] of Object.values(options))
    if (repeats === undefined) command.option(flags, description);
    else command.option(flags, description, appended);
  return command.summary(summary).description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
}

const appended = (value: string, values: readonly string[] = []): string[] => [...values, value];

/** Our own help command, since commander's ignores extra arguments. */
function addHelpCommand(program: Command): void {
  program
    .command("help")
    .arguments("[command]")
    .summary("explain a command")
    .description("Explain a command.")
    .action((name: string | undefined) => {
      if (name === undefined) program.help();
      const command = program.commands.find((known) => known.name() === name);
      return command === undefined ? refuse(program, name) : command.help();
    });
}

interface Parsed {
  readonly spec: CommandSpec;
  readonly command: Command;
  readonly io: Io;
  readonly signal: AbortSignal;
}

async function runCommand(program: Command, { spec, command, io, signal }: Parsed) {
  const { print, json = false, quiet = false, debug = false, color, yes = false } = program.opts();
  const { save = true } = program.opts();
  const isAsk = typeof print === "string";
  if (isAsk && spec.name !== "repl" && spec.name !== "ask")
    throw new AgnoChatError("USAGE", `-p means ask, so it does not go with ${spec.name}.`, {
      hint: "Give only one of them.",
    });
  const [word] = command.args;
  if (spec.name === "repl" && !isAsk && word !== undefined) refuse(program, word);
  if (spec.name === "repl") refuseOptions(command, isAsk);
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

/** The settings that were given as flags. */
function flagsOf(program: Command): Flags {
  const named = SETTING_NAMES.map((name) => {
    const long = longFlagOf(name);
    return [name, long && program.getOptionValue(new Option(long).attributeName())] as const;
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

const CONVERSATIONS: ReadonlySet<string> = new Set(["repl", "ask", "run"]);

/** `--no-save`: the conversation begins empty, in this process alone. */
function unsaved(flags: Flags, { name }: CommandSpec): Flags {
  if (!CONVERSATIONS.has(name))
    throw new AgnoChatError("USAGE", `--no-save does not go with ${name}.`, {
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

function refuse(program: Command, word: string): never {
  const known = COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name);
  // Happens only for `agno-chat repl COMMAND`.
  if (known.includes(word))
    throw new AgnoChatError("USAGE", `repl takes no arguments, but got ${JSON.stringify(word)}.`, {
      hint: `Run: ${program.name()} ${word}`,
    });
  const near = nearest(word, known);
  throw new AgnoChatError("USAGE", `There is no command ${JSON.stringify(word)}.`, {
    hint:
      near === undefined
        ? `Known: ${known.join(", ")}. To ask something: ${program.name()} ask "…"`
        : `Did you mean ${near}?`,
  });
}
