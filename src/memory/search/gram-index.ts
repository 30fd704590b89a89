import { eachGram } from "./grams.js";

/** Offsets fit two bytes, and grams are numbered from 1 as they come. */
const FIRST_SIZE = 1 << 15;

/**
 * Which texts have each gram. Plain arrays of numbers throughout: a Map of lists takes ten times as
 * long, and this is most of what an index costs.
 */
export class GramIndex {
  /** A table with open addressing: the gram of each slot and its number, 0 where there is none. */
  #slots = new Uint32Array(FIRST_SIZE);
  #numbers = new Uint32Array(FIRST_SIZE);
  /** By number: the gram, one more than the offset of its last text, and how many texts it has. */
  #grams = new Uint32Array(FIRST_SIZE);
  #latest = new Uint16Array(FIRST_SIZE);
  #counts = new Uint32Array(FIRST_SIZE);
  #known = 0;
  /** The number of a gram and the offset of a text, for each pair that belongs together. */
  #pairs = new Uint32Array(2 * FIRST_SIZE);
  #used = 0;
  readonly #add = (gram: number): void => this.#addGram(gram);
  #offset = 0;

  /** Offsets must come in ascending order, up to 65,534. */
  add(folded: string, offset: number): void {
    this.#offset = offset;
    eachGram(folded, this.#add);
  }

  /** Each gram with the offsets of its texts, ascending. */
  lists(): (readonly [gram: number, offsets: Uint16Array])[] {
    const starts = new Uint32Array(this.#known + 2);
    for (let number = 1; number <= this.#known; number += 1)
      starts[number + 1] = (starts[number] as number) + (this.#counts[number] as number);
    const ends = starts.slice();
    const offsets = new Uint16Array(this.#used / 2);
    for (let at = 0; at < this.#used; at += 2) {
      const number = this.#pairs[at] as number;
      const end = ends[number] as number;
      offsets[end] = this.#pairs[at + 1] as number;
      ends[number] = end + 1;
    }
    return Array.from({ length: this.#known }, (_, index) => [
      this.#grams[index + 1] as number,
      offsets.subarray(starts[index + 1], starts[index + 2]),
    ]);
  }

  #addGram(gram: number): void {
    const mask = this.#slots.length - 1;
    let slot = gram & mask;
    let number = this.#numbers[slot] as number;
    while (number !== 0 && this.#slots[slot] !== gram) {
      slot = (slot + 1) & mask;
      number = this.#numbers[slot] as number;
    }
    if (number === 0) {
      this.#known += 1;
      number = this.#known;
      this.#slots[slot] = gram;
      this.#numbers[slot] = number;
      this.#grams[number] = gram;
      if (2 * number + 2 > mask) this.#grow();
    }
    if (this.#latest[number] === this.#offset + 1) return;
    this.#latest[number] = this.#offset + 1;
    this.#counts[number] = (this.#counts[number] as number) + 1;
    if (this.#used === this.#pairs.length) this.#pairs = widened(this.#pairs);
    this.#pairs[this.#used] = number;
    this.#pairs[this.#used + 1] = this.#offset;
    this.#used += 2;
  }

  #grow(): void {
    const size = 2 * this.#slots.length;
    this.#slots = new Uint32Array(size);
    this.#numbers = new Uint32Array(size);
    for (let number = 1; number <= this.#known; number += 1) {
      const gram = this.#grams[number] as number;
      let slot = gram & (size - 1);
      while (this.#numbers[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = gram;
      this.#numbers[slot] = number;
    }
    this.#grams = widened(this.#grams);
    this.#counts = widened(this.#counts);
    const latest = new Uint16Array(size);
    latest.set(this.#latest);
    this.#latest = latest;
  }
}

function widened(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(2 * numbers.length);
  wider.set(numbers);
  return wider;
}
