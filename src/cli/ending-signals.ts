import type { EventEmitter } from "node:events";

/**
 * The signals that ask a process to end, each with the exit code to end with: 128 plus the signal's
 * number.
 */
export const ENDING_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;

export const endingSignals = Object.keys(
  ENDING_SIGNALS,
) as readonly (keyof typeof ENDING_SIGNALS)[];

type Emitter = Pick<EventEmitter, "on" | "off" | "rawListeners">;

/**
 * Makes `listener` the only listener of these signals.
 * @returns a function that restores the earlier listeners
 */
export function listenExclusively(
  emitter: Emitter,
  names: readonly (keyof typeof ENDING_SIGNALS)[],
  listener: () => void,
): () => void {
  const others = names.flatMap((name) =>
    emitter.rawListeners(name).map((other) => ({ name, other: other as () => void })),
  );
  // The new one first: a signal without any listener ends the process.
  for (const name of names) emitter.on(name, listener);
  for (const { name, other } of others) emitter.off(name, other);
  return () => {
    for (const { name, other } of others) emitter.on(name, other);
    for (const name of names) emitter.off(name, listener);
  };
}
