import { Command, type CommanderError, Option } from "commander";
import type { CommandSpec } from "./command-spec.js";
import { COMMON_OPTIONS, type CommonName, HELP_OPTION, VERSION_OPTION } from "./common-options.js";
import type { Io } from "./io.js";
import { VERSION } from "./version.js";

/** commander stopped at a command: with its help, its version, or wrong arguments. */
export class Stopped extends Error {
  readonly command: Command;
  /** Such as `store init`; empty for the program itself. */
  readonly path: string;
  declare readonly cause: CommanderError;

  constructor(command: Command, path: string, cause: CommanderError) {
    super(cause.message, { cause });
    this.command = command;
    this.path = path;
  }
}

export const stopping = (command: Command, path: string) => (cause: CommanderError) => {
  throw new Stopped(command, path, cause);
};

/** The common flags, as commander has them. */
export const COMMON = new Map(
  [...COMMON_OPTIONS].map(([name, [flags, description]]) => [name, new Option(flags, description)]),
);

/** The common options belong to the root, so they work before and after the command's name. */
export function rootCommand(io: Io): Command {
  const root = new Command("agno-chat");
  for (const option of COMMON.values()) root.addOption(option);
  return (
    root
      .description("One agent, many users, provably isolated, in your terminal.")
      .usage("[command] [options]")
      .exitOverride(stopping(root, ""))
      // Whoever catches `Stopped` shows help and errors.
      .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} })
      .configureHelp({ formatHelp: () => "" })
      .helpCommand(false)
      .version(VERSION, ...VERSION_OPTION)
      .helpOption(...HELP_OPTION)
  );
}

/** The common flags that were parsed. */
export const givenFlags = (root: Command): CommonName[] =>
  [...COMMON]
    .filter(([, option]) => root.getOptionValueSource(option.attributeName()) === "cli")
    .map(([name]) => name);

/** A command that was called. */
export interface Called {
  readonly spec: CommandSpec;
  /** Such as `store init`. */
  readonly path: string;
  readonly command: Command;
}

type Run = (called: Called) => Promise<void>;

/** Adds the commands of the table, each of which calls `run`. */
export function addCommands(
  parent: Command,
  specs: readonly CommandSpec[],
  run: Run,
  above = "",
): void {
  for (const spec of specs) {
    const path = `${above}${spec.name}`;
    const command = addCommand(parent, spec, path);
    command.action((...parsed: unknown[]) =>
      run({ spec, path, command: parsed.at(-1) as Command }),
    );
    addCommands(command, spec.commands ?? [], run, `${path} `);
  }
}

function addCommand(parent: Command, spec: CommandSpec, path: string): Command {
  const { name, args, summary, options = {}, hidden = false, commands } = spec;
  const command = parent.command(name, { isDefault: name === "repl", hidden });
  if (args !== undefined) command.arguments(args);
  if (commands !== undefined) command.usage("[command]");
  for (const [flags, description, , repeats] of Object.values(options))
    if (repeats === undefined) command.option(flags, description);
    else command.option(flags, description, appended);
  return command
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .exitOverride(hidden ? stopping(parent, "") : stopping(command, path));
}

const appended = (value: string, values: readonly string[] = []): string[] => [...values, value];
