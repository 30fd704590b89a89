import { setTimeout as sleep } from "node:timers/promises";

/** How often a call is tried again, unless said otherwise. */
export const MAX_RETRIES = 3;

/** Chance and time. */
export interface Chance {
  random(): number;
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
}

export const REAL_CHANCE: Chance = {
  random: Math.random,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** Longer waits are not worth it to somebody who is watching. */
const LONGEST_WAIT_MS = 20_000;
const FIRST_WAIT_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;

/**
 * Milliseconds to wait before a retry: what the server asked for, but at most 20 s, or else 0.5 s, doubled each time, with a
 * quarter of it left to chance so that many clients do not come back at once.
 * @param attempt 1 for the first retry
 */
export function retryDelay(
  attempt: number,
  { retryAfterMs, random }: { retryAfterMs: number | undefined; random: () => number },
): number {
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, LONGEST_WAIT_MS);
  const backoff = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
  return Math.round(backoff * (1 - random() / 4));
}

/** `retry-after-ms`, or `retry-after` as seconds or as a date (RFC 9110, 10.2.3). Undefined when it says nothing of use. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const milliseconds = numberIn(headers.get("retry-after-ms"));
  if (milliseconds !== undefined) return milliseconds;
  const value = headers.get("retry-after");
  const seconds = numberIn(value);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(value ?? "");
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function numberIn(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
