import { setImmediate as nextTurn } from "node:timers/promises";
import type { Awaitable } from "../memory/memory.js";
import { within } from "../within.js";

/** Milliseconds; a check that does not explode takes a small part of one. */
const LIMIT_MS = 250;

/** The last check of each run under way, by the run's signal. */
const lastChecks = new WeakMap<AbortSignal, Promise<unknown>>();

/**
 * Checks arguments in a way that ends, also when a pattern of the schema explodes on them. The checks of one run follow each
 * other, and whatever else the process has to do comes in between, an abort too.
 * @param signal That of the run.
 * @throws {TookTooLong} rejects with it, with the reason of the signal, or with what the check throws
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
