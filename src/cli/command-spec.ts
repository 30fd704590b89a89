import type { Context } from "./command-context.js";
import type { CommonName } from "./common-options.js";
import type { OptionRow } from "./option-row.js";
import type { Flags } from "./settings/settings.js";

/** Runs a command. Resolves to its exit code; `undefined` means 0. */
export type CommandHandler<Options> = (
  context: Context,
  args: string[],
  options: Options,
) => Promise<number> | Promise<void>;

/** A command's options by property name: the flags in commander's syntax and the line of help. */
export type OptionRows<Options> = Readonly<Record<keyof Options, OptionRow>>;

/** Common flags, each with its line of help; true stands for the usual line. */
export type Uses = Readonly<Partial<Record<CommonName, string | true>>>;

interface Spec<Options> {
  readonly name: string;
  readonly args?: string;
  /** What Tab offers for each argument that has fixed values. */
  readonly values?: readonly (readonly string[])[];
  readonly summary: string;
  readonly options?: OptionRows<Options>;
  /** The common flags that it reads and that its help explains. */
  readonly uses?: Uses;
  /** More that it reads, which its help only names. Any other is refused behind the command. */
  readonly also?: readonly CommonName[];
  /** Common flags that it refuses wherever they stand, in words of its own. */
  readonly refuses?: readonly CommonName[];
  readonly hidden?: boolean;
  /** Fixed settings: flags, environment variables and the settings file are ignored. */
  readonly fixed?: Flags;
  /** The command can repair the settings file, so it also runs when that file is invalid. */
  readonly repairsSettings?: boolean;
  /** Commands below this one, such as `store init`. */
  readonly commands?: readonly CommandSpec[];
  readonly load: () => Promise<CommandHandler<Options>>;
}

export interface CommandSpec extends Omit<Spec<never>, "options"> {
  readonly options?: Readonly<Record<string, OptionRow>>;
}

/** Checks that a command's table row declares the options its handler takes. */
export const row = <Options>(spec: Spec<Options>): CommandSpec => spec;

/** Whether the command reads a common flag. */
export const reads = ({ uses = {}, also = [] }: CommandSpec, name: CommonName): boolean =>
  uses[name] !== undefined || also.includes(name);
