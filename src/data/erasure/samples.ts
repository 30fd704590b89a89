import { base64Of } from "../export-attachments.js";

/** How long a sample is, in bytes: short enough for a short message, too long to come by chance. */
export const SAMPLE_BYTES = 16;

/** One sample begins every so many bytes, so that a page of a database holds several whole ones. */
const STRIDE = 256;

/** With fewer different bytes, such as spaces or dashes alone, a sample could be anything. */
const LEAST_DIFFERENT = 5;

/** About 60 MB of memory. Above, every second one is dropped. */
const MOST_SAMPLES = 1 << 21;

/** Odd, so that every byte of a sample counts in its hash. */
const FACTOR = 0x2c1b3c6d;
const MIX = 0x9e3779b1;
const OTHER_MIX = 0x85ebca6b;
const OUTGOING = power(FACTOR, SAMPLE_BYTES);

/**
 * Pieces of texts, to look for where the texts should be gone. Kept in memory alone: they are what
 * was to be deleted. A sample is named by its number, from 0 up.
 */
export class Samples {
  readonly #most: number;
  #bytes = new Uint8Array(SAMPLE_BYTES * 1_024);
  /** Open addressing: 0, or the number of a sample and 1. */
  #slots = new Int32Array(4_096);
  /** A bit is set for each sample, so that most bytes of a file need no look into the slots. */
  #filter: Uint32Array | undefined;
  #count = 0;
  #texts = 0;
  #skipped = 0;
  #oneIn = 1;

  constructor(most = MOST_SAMPLES) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  /** How many texts were added, and how many of them are too short or too plain for a sample. */
  get texts(): { readonly added: number; readonly skipped: number } {
    return { added: this.#texts, skipped: this.#skipped };
  }

  /** If there are too many samples, only one in so many is kept; 1 means all. */
  get oneIn(): number {
    return this.#oneIn;
  }

  /** As it is in UTF-8, and as it is inside of a JSON string. */
  addText(text: string): void {
    const inJson = JSON.stringify(text).slice(1, -1);
    const forms = inJson === text ? [text] : [text, inJson];
    this.#note(forms.map((form) => this.#sample(Buffer.from(form))).some(Boolean));
  }

  /** The content of a file, as it is and in base64, as exports have it. */
  addContent(bytes: Uint8Array): void {
    const isTold = this.#sample(bytes);
    if (isTold) this.#sample(Buffer.from(base64Of(bytes)));
    this.#note(isTold);
  }

  /** What is stored as these bytes. */
  addBytes(bytes: Uint8Array): void {
    this.#note(this.#sample(bytes));
  }

  /** Only these samples. */
  only(numbers: Iterable<number>): Samples {
    const some = new Samples(Infinity);
    for (const number of numbers) {
      const start = number * SAMPLE_BYTES;
      some.#insert(this.#bytes.subarray(start, start + SAMPLE_BYTES), 0);
    }
    return some;
  }

  /**
   * Calls `found` for every sample in the bytes, in order. The time it takes depends on the bytes,
   * not on how many samples there are.
   */
  findIn(bytes: Uint8Array, found: (sample: number, offset: number) => void): void {
    if (this.#count === 0 || bytes.length < SAMPLE_BYTES) return;
    this.#filter ??= this.#newFilter();
    const filter = this.#filter;
    const shift = Math.clz32(filter.length) + 1;
    let hash = hashOf(bytes, 0);
    for (let start = 0, end = SAMPLE_BYTES; ; start += 1, end += 1) {
      if (((filter[hash >>> shift] as number) & (1 << (hash & 31))) !== 0) {
        const sample = this.#find(bytes, start, hash);
        if (sample !== -1) found(sample, start);
      }
      if (end >= bytes.length) return;
      const gone = Math.imul(bytes[start] as number, OUTGOING);
      hash = (Math.imul(hash, FACTOR) + (bytes[end] as number) - gone) | 0;
    }
  }

  #note(hasSample: boolean): void {
    this.#texts += 1;
    if (!hasSample) this.#skipped += 1;
  }

  /** Returns whether the bytes can be told from others. */
  #sample(bytes: Uint8Array): boolean {
    const last = bytes.length - SAMPLE_BYTES;
    if (last < 0) return false;
    let isTold = false;
    for (let start = 0; ; start = Math.min(start + STRIDE, last)) {
      if (isDistinct(bytes, start)) {
        isTold = true;
        this.#insert(bytes, start);
      }
      if (start === last) return isTold;
    }
  }

  #insert(bytes: Uint8Array, start: number): void {
    const hash = hashOf(bytes, start);
    if (!this.#isKept(hash) || this.#find(bytes, start, hash) !== -1) return;
    while (this.#count >= this.#most) {
      this.#thinOut();
      if (!this.#isKept(hash)) return;
    }
    if ((this.#count + 1) * SAMPLE_BYTES > this.#bytes.length) this.#grow();
    this.#bytes.set(bytes.subarray(start, start + SAMPLE_BYTES), this.#count * SAMPLE_BYTES);
    this.#take(hash, this.#count);
    this.#count += 1;
    this.#filter = undefined;
  }

  /** By the hash, so that it does not matter in which order samples come, or how often. */
  #isKept(hash: number): boolean {
    return (Math.imul(hash, OTHER_MIX) >>> 8) % this.#oneIn === 0;
  }

  #thinOut(): void {
    this.#oneIn *= 2;
    const [bytes, count] = [this.#bytes, this.#count];
    this.#count = 0;
    this.#slots.fill(0);
    for (let number = 0; number < count; number += 1) {
      const start = number * SAMPLE_BYTES;
      const hash = hashOf(bytes, start);
      if (!this.#isKept(hash)) continue;
      bytes.copyWithin(this.#count * SAMPLE_BYTES, start, start + SAMPLE_BYTES);
      this.#take(hash, this.#count);
      this.#count += 1;
    }
  }

  #grow(): void {
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#count; number += 1)
      this.#take(hashOf(bytes, number * SAMPLE_BYTES), number);
  }

  #take(hash: number, number: number): void {
    const last = this.#slots.length - 1;
    let slot = mixed(hash) & last;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & last;
    this.#slots[slot] = number + 1;
  }

  #find(bytes: Uint8Array, start: number, hash: number): number {
    const last = this.#slots.length - 1;
    for (let slot = mixed(hash) & last; ; slot = (slot + 1) & last) {
      const number = (this.#slots[slot] as number) - 1;
      if (number === -1 || this.#isAt(number, bytes, start)) return number;
    }
  }

  #isAt(number: number, bytes: Uint8Array, start: number): boolean {
    const own = number * SAMPLE_BYTES;
    for (let index = 0; index < SAMPLE_BYTES; index += 1)
      if (this.#bytes[own + index] !== bytes[start + index]) return false;
    return true;
  }

  #newFilter(): Uint32Array {
    let words = 1 << 11;
    while (words < this.#count && words < 1 << 20) words *= 2;
    const filter = new Uint32Array(words);
    const shift = Math.clz32(words) + 1;
    for (let number = 0; number < this.#count; number += 1) {
      const hash = hashOf(this.#bytes, number * SAMPLE_BYTES);
      filter[hash >>> shift] = (filter[hash >>> shift] as number) | (1 << (hash & 31));
    }
    return filter;
  }
}

/** Of a sample; that of the next place follows from it, which makes a search fast. */
function hashOf(bytes: Uint8Array, start: number): number {
  let hash = 0;
  for (let index = start; index < start + SAMPLE_BYTES; index += 1)
    hash = (Math.imul(hash, FACTOR) + (bytes[index] as number)) | 0;
  return hash;
}

/** Spreads what the high bits know to the low ones. */
const mixed = (hash: number): number => {
  const product = Math.imul(hash, MIX);
  return product ^ (product >>> 15);
};

function power(factor: number, exponent: number): number {
  let result = 1;
  for (let step = 0; step < exponent; step += 1) result = Math.imul(result, factor);
  return result;
}

function isDistinct(bytes: Uint8Array, start: number): boolean {
  return new Set(bytes.subarray(start, start + SAMPLE_BYTES)).size >= LEAST_DIFFERENT;
}
