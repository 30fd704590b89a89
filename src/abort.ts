import { setTimeout as sleep } from "node:timers/promises";

/**
 * Cancels work, as an `AbortController` does. The signal is made only if it is read, because a
 * signal and its listeners cost as much as the rest of a short run.
 */
export class Cancellation {
  #aborted = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  /** Apart from the others, because most runs have one at a time. */
  #listener: AbortListener | undefined;
  #others: readonly AbortListener[] = NO_LISTENERS;
  #unfollow: (() => void) | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** For models and tools. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** Later calls change nothing. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    const [listener, others] = [this.#listener, this.#others];
    this.#listener = undefined;
    this.#others = NO_LISTENERS;
    listener?.(reason);
    for (const other of others) other(reason);
  }

  /** Aborts with the signal, for the reason that `reasonOf` makes of the signal's. */
  follow(signal: Abortable, reasonOf: (reason: unknown) => unknown): void {
    this.#unfollow = onAbort(signal, () => this.abort(reasonOf(signal.reason)));
  }

  unfollow(): void {
    this.#unfollow?.();
  }

  /** Calls the listener on abort, unless it has been forgotten. */
  listen(listener: AbortListener): void {
    if (this.#listener === undefined) this.#listener = listener;
    else this.#others = [...this.#others, listener];
  }

  forget(listener: AbortListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others = this.#others.filter((each) => each !== listener);
  }
}

type AbortListener = (reason: unknown) => void;

const NO_LISTENERS: readonly AbortListener[] = [];

/** What can be waited on until it aborts. */
export type Abortable = AbortSignal | Cancellation;

/** Calls the listener on abort, or at once if that was before. Returns its removal. */
export function onAbort(signal: Abortable, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  if (signal instanceof Cancellation) {
    signal.listen(listener);
    return () => signal.forget(listener);
  }
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/**
 * Waits for the work until the signal aborts, and then rejects at once with its reason. The
 * abandoned work goes on unobserved.
 */
export async function untilAborted<T>(work: T | PromiseLike<T>, signal: Abortable): Promise<T> {
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
  readonly #signal: Abortable;
  #reject: ((reason: unknown) => void) | undefined;
  /** Removes the listener. Call it after the last wait. */
  readonly end: () => void;

  constructor(signal: Abortable) {
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
