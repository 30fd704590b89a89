import type { EventEmitter } from "node:events";

/** The signals that ask a process to end, and the exit code of one that did: 128 and the signal's number. */
export const ENDING_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;

export const endingSignals = Object.keys(
  ENDING_SIGNALS,
) as readonly (keyof typeof ENDING_SIGNALS)[];

type Emitter = Pick<EventEmitter, "on" | "off" | "rawListeners">;

/**
 * Lets `listener` hear these signals in place of everybody else.
 * @returns gives them back
 */
export function heardAlone(
  emitter: Emitter,
  names: readonly (keyof typeof ENDING_SIGNALS)[],
  listener: () => void,
): () => void {
  const others = names.flatMap((name) =>
    emitter.rawListeners(name).map((heard) => ({ name, heard: heard as () => void })),
  );
  // The new one first: without any, the signal would end the process.
  for (const name of names) emitter.on(name, listener);
  for (const { name, heard } of others) emitter.off(name, heard);
  return () => {
    for (const { name, heard } of others) emitter.on(name, heard);
    for (const name of names) emitter.off(name, listener);
  };
}
