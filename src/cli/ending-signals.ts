/** The signals that ask a process to end, and the exit code of one that did: 128 and the signal's number. */
export const ENDING_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;

export const endingSignals = Object.keys(
  ENDING_SIGNALS,
) as readonly (keyof typeof ENDING_SIGNALS)[];
