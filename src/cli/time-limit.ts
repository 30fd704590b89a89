import { AgnoChatError } from "../errors.js";
import type { Context } from "./command-context.js";

export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Call it when the work is done. */
  clear(): void;
}

/** A signal that aborts when `signal` does, or after this many seconds. */
export function signalWithin(signal: AbortSignal, seconds: number | undefined): TimeLimit {
  if (seconds === undefined) return { signal, clear: () => {} };
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(tooSlow(seconds)), seconds * 1000);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    clear: () => clearTimeout(timer),
  };
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
    limit.clear();
  }
}

const tooSlow = (seconds: number): AgnoChatError =>
  new AgnoChatError("MODEL_TIMEOUT", `The answer was not complete within ${seconds} s.`, {
    hint: "Allow more with --timeout.",
  });
