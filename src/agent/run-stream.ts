import type { RunEvent, RunOutput } from "./events.js";

type Read = IteratorResult<RunEvent, void>;

const DONE: Read = { done: true, value: undefined };

/**
 * The events of one run, for one reader. The run continues whether or not anyone reads, so a slow
 * reader delays nobody. Leaving the loop early cancels the run. The iterator throws if the run
 * fails.
 * @example
 * const agent = new Agent({ model: new DemoModel() });
 * const stream = agent.stream("My name is Alice", { userId: "alice" });
 * for await (const event of stream)
 *   if (event.type === "text-delta") process.stdout.write(event.text);
 * const { messages, usage } = await stream.result;
 */
export class RunStream implements AsyncIterable<RunEvent> {
  #unread: RunEvent[] = [];
  /** Events to read next, newest first, because removing the last element is fast. */
  #batch: RunEvent[] = [];
  #waiting: (() => void)[] = [];
  #over = false;
  #left = false;
  readonly #cancel: () => void;

  /**
   * The result of the run, whether or not its events are read. Rejects with the error that the
   * iterator throws.
   */
  readonly result: Promise<RunOutput>;

  /** @param start Starts the run, whose events go to `emit`. Must not throw. */
  constructor(start: (emit: (event: RunEvent) => void) => Promise<RunOutput>, cancel: () => void) {
    this.#cancel = cancel;
    const run = start((event) => {
      this.#unread.push(event);
      this.#wake();
    });
    this.result = run.finally(() => {
      this.#over = true;
      this.#wake();
    });
    // An unread failure must not end the process; a reader still gets it.
    this.result.catch(() => {});
  }

  /** The stream of a run that could not start. */
  static failed(thrown: unknown): RunStream {
    return new RunStream(
      () => Promise.reject(thrown),
      () => {},
    );
  }

  /** Not a generator, which could not return while a read is pending or before the first one. */
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
