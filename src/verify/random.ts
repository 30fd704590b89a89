import { randomInt } from "node:crypto";

export const randomSeed = (): number => randomInt(2 ** 31);

/** Numbers of one seed: the same seed gives the same decisions in the same order. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to 1, by mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Numbers of their own. */
  fork(): Random {
    return new Random(this.below(2 ** 32));
  }

  /** A whole number from 0 up to `end`, without `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** The same values in another order. */
  shuffled<T>(values: readonly T[]): T[] {
    const mixed = [...values];
    for (let index = mixed.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [mixed[index], mixed[other]] = [mixed[other] as T, mixed[index] as T];
    }
    return mixed;
  }

  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string {
    return Array.from({ length }, () => this.below(16).toString(16)).join("");
  }
}
