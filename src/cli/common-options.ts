import type { OptionRow } from "./option-row.js";

/** The flags of every command that are not settings. */
export const COMMON_OPTIONS: readonly OptionRow[] = [
  ["-p, --print <prompt>", "the same as ask"],
  ["--json", "one JSON document on stdout"],
  ["-q, --quiet", "no notes on stderr"],
  ["--debug", "print the causes of an error on stderr, with keys masked"],
  ["--no-color", "no colour (NO_COLOR)"],
  ["-y, --yes", "do not ask for confirmation"],
  ["--no-save", "keep nothing: neither the conversation nor what was typed"],
];

export const VERSION_OPTION = ["-V, --version", "print the version"] as const;
export const HELP_OPTION = ["-h, --help", "show help"] as const;
