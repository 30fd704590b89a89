/**
 * Waits for one thing after the other, but never longer than until the signal aborts: then rejects with its reason at
 * once. One listener serves them all, since a reply is thousands of waits and a listener costs more than a wait.
 */
export class AbortableWaits {
  readonly #signal: AbortSignal;
  #reject: ((reason: unknown) => void) | undefined;
  readonly #stop = (): void => this.#reject?.(this.#signal.reason);

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#stop);
  }

  until<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#signal.aborted) this.#stop();
      work.then(resolve, reject);
    });
  }

  /** Lets go of the signal. */
  end(): void {
    this.#signal.removeEventListener("abort", this.#stop);
  }
}
