/** Values handed from whoever produces them to whoever waits, in order. */
export class WaitingLine<T extends object> {
  readonly #values: T[] = [];
  readonly #takers: ((value: T) => void)[] = [];
  #last: T | undefined;

  put(value: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#values.push(value);
    else taker(value);
  }

  /** From now on, whoever finds nothing waiting gets `last`. */
  close(last: T): void {
    this.#last = last;
    for (const taker of this.#takers.splice(0)) taker(last);
  }

  take(): Promise<T> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve(value);
    if (this.#last !== undefined) return Promise.resolve(this.#last);
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}
