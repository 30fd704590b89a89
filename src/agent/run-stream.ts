import type { RunEvent, RunOutput } from "./events.js";

type Read = IteratorResult<RunEvent, void>;

const DONE: Read = { done: true, value: undefined };

/**
 * The events of one run, for one reader. The run drives itself: it goes on whether or not anybody reads, and a slow
 * reader holds nobody up. Leaving the loop early cancels the run; a failure is thrown from the iterator.
 */
export class RunStream implements AsyncIterable<RunEvent> {
  #unread: RunEvent[] = [];
  /** What was unread when the reader last caught up, the oldest at the end: taking from there costs the same however many there are. */
  #batch: RunEvent[] = [];
  #waiting: (() => void)[] = [];
  #over = false;
  #left = false;
  readonly #cancel: () => void;

  /**
   * What the run ends with, for whoever does not read its events, or reads them too. Rejects as the iterator throws;
   * reading it neither starts nor cancels anything.
   */
  readonly result: Promise<RunOutput>;

  /** @param drive Starts the run, given where its events go. Must not throw. */
  constructor(drive: (emit: (event: RunEvent) => void) => Promise<RunOutput>, cancel: () => void) {
    this.#cancel = cancel;
    const run = drive((event) => {
      this.#unread.push(event);
      this.#wake();
    });
    this.result = run.finally(() => {
      this.#over = true;
      this.#wake();
    });
    // A failure nobody reads is no crash; a reader still gets it.
    this.result.catch(() => {});
  }

  /** The stream of a run that could not begin. */
  static failed(thrown: unknown): RunStream {
    return new RunStream(
      () => Promise.reject(thrown),
      () => {},
    );
  }

  /** Not a generator: one could not be left while a read is pending, or before the first one. */
  [Symbol.asyncIterator](): AsyncIterator<RunEvent, void, undefined> {
    return { next: () => this.#next(), return: () => this.#leave() };
  }

  async #next(): Promise<Read> {
    while (!this.#left) {
      const value = this.#take();
      if (value !== undefined) return { done: false, value };
      if (this.#over) return this.result.then(() => DONE);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return DONE;
  }

  async #leave(): Promise<Read> {
    this.#left = true;
    if (!this.#over) this.#cancel();
    await this.result.catch(() => {});
    return DONE;
  }

  #take(): RunEvent | undefined {
    if (this.#batch.length === 0)
      [this.#batch, this.#unread] = [this.#unread.reverse(), this.#batch];
    return this.#batch.pop();
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
