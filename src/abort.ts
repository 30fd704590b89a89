import { setTimeout as sleep } from "node:timers/promises";

/** Calls the listener when the signal aborts, or at once if it already has. Returns its removal. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/**
 * Waits for the work until the signal aborts, and then rejects at once with its reason. The
 * abandoned work goes on unobserved.
 */
export async function untilAborted<T>(work: T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const waits = new AbortableWaits(signal);
  try {
    return await waits.until(Promise.resolve(work));
  } finally {
    waits.end();
  }
}

/**
 * `untilAborted` for many waits, one after the other. They share one listener, because a streamed
 * reply is thousands of waits and adding a listener costs more than a wait.
 */
export class AbortableWaits {
  readonly #signal: AbortSignal;
  #reject: ((reason: unknown) => void) | undefined;
  /** Removes the listener. Call it after the last wait. */
  readonly end: () => void;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.end = onAbort(signal, () => this.#reject?.(signal.reason));
  }

  until<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#signal.aborted) reject(this.#signal.reason);
      work.then(resolve, reject);
    });
  }
}

/** @throws rejects with the reason of the signal when that aborts, and stops the timer */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

/** A signal with a time limit. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Lifts the limit and stops following. Call it when the work is done. */
  end(): void;
}

/** A signal that aborts with `caller`, or after so many milliseconds with the reason given. */
export function limitTime(
  caller: AbortSignal,
  milliseconds: number,
  reason: () => unknown,
): TimeLimit {
  const controller = new AbortController();
  const unfollow = onAbort(caller, () => controller.abort(caller.reason));
  const timer = setTimeout(() => controller.abort(reason()), milliseconds);
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      unfollow();
    },
  };
}
