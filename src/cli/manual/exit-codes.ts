/** What each exit code of the command line means. */
export const EXIT_CODES: readonly (readonly [codes: string, meaning: string])[] = [
  ["0", "success"],
  ["1", "unexpected error"],
  ["2", "wrong usage or bad input, or a confirmation that could not be asked"],
  ["3", "wrong configuration, or a missing or refused key"],
  ["4", "the model, the network or the storage failed, time ran out, or a limit is used up"],
  ["5", "an expectation failed: of a script, of `--schema`, or of `clear --prove`"],
  ["129, 130, 131, 143", "HUP (the terminal was closed), Ctrl-C, QUIT, TERM"],
];
