import { limitTime, type TimeLimit } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { Context } from "./command-context.js";

/** A signal that aborts when `signal` does, or after this many seconds. */
export function signalWithin(signal: AbortSignal, seconds: number | undefined): TimeLimit {
  if (seconds === undefined) return { signal, end: () => {} };
  return limitTime(signal, seconds * 1000, () => tooSlow(seconds));
}

/** Runs `work` with a signal that aborts after the `timeout` in the settings. */
export async function withinTimeout<T>(
  { settings, signal }: Pick<Context, "settings" | "signal">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = signalWithin(signal, settings.values.timeout);
  try {
    return await work(limit.signal);
  } finally {
    limit.end();
  }
}

const tooSlow = (seconds: number): AgnoChatError =>
  new AgnoChatError("MODEL_TIMEOUT", `The answer was not complete within ${seconds} s.`, {
    hint: "Allow more with --timeout.",
  });
