const TEXT = ['""" … """ on lines of their own: text, also help or bye', "//x sends /x"];

/** What `/help` says below the commands, of a script. */
export const SCRIPT_HINTS: readonly string[] = TEXT;

/** The same, of a terminal that only prints. */
export const PLAIN_HINTS: readonly string[] = [
  "\\ at the end of a line continues it",
  ...TEXT,
  "Ctrl-C stops a reply",
];

/** The same, of a terminal with the line editor. */
export const EDITOR_HINTS: readonly string[] = [
  "Ctrl-J new line",
  ...TEXT,
  "Ctrl-G editor",
  "Ctrl-C, Esc stop a reply",
  "Ctrl-R search",
  "Tab",
];
