import { setTimeout as sleep } from "node:timers/promises";
import { isPostgres, MaybeStored, PostgresError, passes } from "./postgres-errors.js";

/** How long a call is repeated if it stored nothing, and if it may have stored something. */
const PATIENCE_MS = 10_000;
const PATIENCE_UNKNOWN_MS = 30_000;

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;

export interface Attempt {
  /** Whether an earlier attempt may have been stored. */
  readonly isRepeat: boolean;
}

/** Whether another attempt may help after one that stored nothing. */
const mayPass = (error: PostgresError, elapsed: number): boolean =>
  passes(error) && elapsed < PATIENCE_MS;

/**
 * Repeats a read for as long as another attempt may help.
 * @throws {PostgresError}
 */
export const repeatRead = <Result>(read: () => Promise<Result>): Promise<Result> =>
  repeat(read, mayPass);

/**
 * Repeats the opening of a database likewise, unless nothing listens there: the URL may be wrong.
 * @throws {PostgresError}
 */
export const repeatOpening = (open: () => Promise<void>): Promise<void> =>
  repeat(open, (error, elapsed) => !isPostgres(error, "ECONNREFUSED") && mayPass(error, elapsed));

/**
 * Repeats the same write for as long as another attempt may help. If an attempt may have been
 * stored, only the server's answer to a later one can tell.
 * @throws {PostgresError} when nothing was stored
 * @throws {MaybeStored}
 */
export async function repeatWrite<Result>(
  write: (attempt: Attempt) => Promise<Result>,
): Promise<Result> {
  let maybeStored = false;
  try {
    return await repeat(
      () => write({ isRepeat: maybeStored }),
      (error, elapsed) => {
        maybeStored ||= error.isUnknown;
        if (maybeStored) return elapsed < PATIENCE_UNKNOWN_MS;
        return mayPass(error, elapsed);
      },
    );
  } catch (error) {
    throw maybeStored && error instanceof PostgresError ? new MaybeStored(error) : error;
  }
}

/** Waits longer each time, with jitter, so that writers that collided do not collide again. */
async function repeat<Result>(
  work: () => Promise<Result>,
  mayHelp: (error: PostgresError, elapsed: number) => boolean,
): Promise<Result> {
  const start = performance.now();
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PostgresError)) throw error;
      if (!mayHelp(error, performance.now() - start)) throw error;
    }
    await sleep(wait * (0.5 + Math.random()));
  }
}
