import { isNarrow, oneGram, threeGram, twoGram } from "./grams.js";

const FIRST_SIZE = 1 << 15;

/** Units with a code of six bits, from 1; grams of these are found without a hash. */
const CODED = " etaoinsrhldcumfpgwybvkxqjz0123456789.,;:!?'\"()[]{}<>-_/*#+=@&%";
const CODES = new Uint8Array(128);
for (const [index, unit] of CODED.split("").entries()) CODES[unit.charCodeAt(0)] = index + 1;

/**
 * Which texts have each gram. Plain arrays of numbers throughout: a Map of lists takes ten times as
 * long, and this is most of what an index costs. Grams are numbered from 1 as they come.
 */
export class GramIndex {
  /** The numbers of grams by the codes of their units; 0 for a gram that no text had yet. */
  readonly #coded = new Uint32Array(64 ** 3);
  /** A table with open addressing: the gram of each slot and its number, 0 where there is none. */
  #slots = new Uint32Array(FIRST_SIZE);
  #numbers = new Uint32Array(FIRST_SIZE);
  /** By number: the gram, how many texts have it, and the last of them, counted from 1. */
  #grams = new Uint32Array(FIRST_SIZE);
  #counts = new Uint32Array(FIRST_SIZE);
  #latest = new Uint16Array(FIRST_SIZE);
  #known = 0;
  /** The grams of each text by their numbers, text after text, and where those of a text end. */
  #found = new Uint32Array(2 * FIRST_SIZE);
  #used = 0;
  readonly #ends: number[] = [];
  readonly #offsets: number[] = [];

  /** Offsets must come in ascending order. Takes up to 65,535 texts. */
  add(folded: string, offset: number): void {
    const text = this.#offsets.push(offset);
    // The units before, and how they are coded together.
    let first = 0;
    let second = 0;
    let firstCode = 0;
    let secondCode = 0;
    for (let index = 0; index < folded.length; index += 1) {
      const unit = folded.charCodeAt(index);
      const code = unit < CODES.length ? (CODES[unit] as number) : 0;
      let number = code === 0 ? 0 : (this.#coded[code] as number);
      this.#note(number || this.#learn(code, oneGram(unit)), text);
      if (index > 0) {
        const two = secondCode === 0 || code === 0 ? 0 : (secondCode << 6) | code;
        number = two === 0 ? 0 : (this.#coded[two] as number);
        this.#note(number || this.#learn(two, twoGram(second, unit)), text);
      }
      if (index > 1) {
        const three =
          firstCode * secondCode * code === 0 ? 0 : (firstCode << 12) | (secondCode << 6) | code;
        number = three === 0 ? 0 : (this.#coded[three] as number);
        if (number !== 0) this.#note(number, text);
        else if (isNarrow(first) && isNarrow(second) && isNarrow(unit))
          this.#note(this.#learn(three, threeGram(first, second, unit)), text);
      }
      first = second;
      second = unit;
      firstCode = secondCode;
      secondCode = code;
    }
    this.#ends.push(this.#used);
  }

  /** Calls `take` for each gram, ascending, with the offsets of its texts, ascending. */
  eachList(take: (gram: number, offsets: Uint16Array) => void): void {
    const ends = new Uint32Array(this.#known + 1);
    for (let number = 1; number <= this.#known; number += 1)
      ends[number] = (ends[number - 1] as number) + (this.#counts[number - 1] as number);
    const starts = ends.slice();
    const offsets = new Uint16Array(this.#used);
    for (let text = 0, at = 0; text < this.#ends.length; text += 1)
      for (
        const offset = this.#offsets[text] as number;
        at < (this.#ends[text] as number);
        at += 1
      ) {
        const number = this.#found[at] as number;
        const end = ends[number] as number;
        offsets[end] = offset;
        ends[number] = end + 1;
      }
    for (const gram of this.#grams.slice(1, this.#known + 1).sort()) {
      const number = this.#numberOf(gram);
      take(gram, offsets.subarray(starts[number], ends[number]));
    }
  }

  #learn(code: number, gram: number): number {
    const number = this.#numberOf(gram);
    if (code !== 0) this.#coded[code] = number;
    return number;
  }

  #note(number: number, text: number): void {
    if (this.#latest[number] === text) return;
    this.#latest[number] = text;
    this.#counts[number] = (this.#counts[number] as number) + 1;
    if (this.#used === this.#found.length) this.#found = widened(this.#found);
    this.#found[this.#used] = number;
    this.#used += 1;
  }

  #numberOf(gram: number): number {
    const mask = this.#slots.length - 1;
    let slot = gram & mask;
    let number = this.#numbers[slot] as number;
    while (number !== 0 && this.#slots[slot] !== gram) {
      slot = (slot + 1) & mask;
      number = this.#numbers[slot] as number;
    }
    if (number !== 0) return number;
    this.#known += 1;
    number = this.#known;
    this.#slots[slot] = gram;
    this.#numbers[slot] = number;
    this.#grams[number] = gram;
    if (2 * number + 2 > mask) this.#grow();
    return number;
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
