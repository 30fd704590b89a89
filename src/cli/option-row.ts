/**
 * One option: its flags in commander's syntax, the line of help and, if they are fixed, the values
 * that Tab offers for it. One that repeats may be given several times: its value is a list.
 */
export type OptionRow = readonly [
  flags: string,
  description: string,
  values?: readonly string[] | undefined,
  repeats?: "repeats",
];

/** The parts of flags such as `-u, --user <id>`. */
export interface FlagParts {
  /** As typed, such as `-u` and `--user`. */
  readonly names: readonly string[];
  /** What the value is, such as `id`; undefined for a flag that takes none. */
  readonly value: string | undefined;
}

export const partsOf = (flags: string): FlagParts => ({
  names: flags.match(/--?[a-zA-Z][a-zA-Z0-9-]*(?=[, ]|$)/g) ?? [],
  value: /<([^>.]+)/.exec(flags)?.[1],
});
