import { pause } from "../../abort.js";

/** The default number of retries. */
export const MAX_RETRIES = 3;

/** The randomness and the clock behind retries; tests replace them. */
export interface RetryTiming {
  random(): number;
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
}

export const REAL_TIMING: RetryTiming = {
  random: Math.random,
  sleep: pause,
};

/** A user who is watching will not wait longer. */
const LONGEST_WAIT_MS = 20_000;
const FIRST_WAIT_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;

/**
 * Returns the milliseconds to wait before a retry: what the server asked for, at most 20 s;
 * otherwise 0.5 s, doubled each time up to 8 s, less a random part of up to a quarter, so that many
 * clients do not return at once.
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

/**
 * Reads `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3). Returns
 * milliseconds, or undefined without a usable header.
 */
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
