import type { RunEvent } from "./events.js";

/**
 * The events of one run, for one reader. The run drives itself: it goes on whether or not anybody reads, and a slow
 * reader holds nobody up. Leaving the loop early cancels the run; a failure is thrown from the iterator.
 */
export class RunStream implements AsyncIterable<RunEvent> {
  readonly #unread: RunEvent[] = [];
  readonly #cancel: () => void;
  readonly #finished: Promise<void>;
  #over = false;
  #wake: (() => void) | undefined;

  /** @param drive Starts the run, given where its events go. Must not throw. */
  constructor(drive: (emit: (event: RunEvent) => void) => Promise<unknown>, cancel: () => void) {
    this.#cancel = cancel;
    const run = drive((event) => {
      this.#unread.push(event);
      this.#wake?.();
    });
    this.#finished = run
      .then(() => {})
      .finally(() => {
        this.#over = true;
        this.#wake?.();
      });
    // A failure nobody reads is no crash; a reader still gets it.
    this.#finished.catch(() => {});
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined> {
    try {
      while (true) {
        for (let event = this.#unread.shift(); event !== undefined; event = this.#unread.shift())
          yield event;
        if (this.#over) return await this.#finished;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      if (!this.#over) {
        this.#cancel();
        await this.#finished.catch(() => {});
      }
    }
  }
}
