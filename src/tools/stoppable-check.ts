import { setImmediate as nextTurn } from "node:timers/promises";
import type { Awaitable } from "../memory/memory.js";
import { within } from "../within.js";

/** Milliseconds. A harmless check takes a fraction of one. */
const LIMIT_MS = 250;

/** The last check of each active run, by the signal of the run. */
const lastChecks = new WeakMap<AbortSignal, Promise<unknown>>();

/**
 * Runs a validation with a time limit, since a pattern in its schema may backtrack
 * catastrophically. The checks of one run follow each other, and the event loop turns between them,
 * so that other users and an abort get their turn.
 * @param signal The signal of the run.
 * @throws {TookTooLong} rejects with it, with the reason of the signal, or with what the check
 *   throws
 */
export function stoppableCheck<T>(check: () => Awaitable<T>, signal: AbortSignal): Promise<T> {
  const before = lastChecks.get(signal) ?? Promise.resolve();
  const checked = before
    .then(() => nextTurn(undefined, { signal }))
    .then(() => within(LIMIT_MS, check));
  lastChecks.set(
    signal,
    checked.catch(() => {}),
  );
  return checked;
}
