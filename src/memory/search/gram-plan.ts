import { type Bits, both, countOf } from "./block.js";
import { gramsOfTerms } from "./grams.js";

/** So few candidates of a block are read at once, whatever more grams would tell of them. */
const FEW = 2;

/** The same once the grams that told most were asked for. */
const SOME = 16;

/**
 * Which grams of a search the blocks are asked for, in which order. Letters give a first guess.
 * What a block knows replaces it: most grams of a word tell the same, and what is common in a
 * language may be rare in a history. Whatever the plan, only the time of a search depends on it.
 */
export class GramPlan {
  readonly #all: readonly number[];
  #grams: readonly number[];
  /** How many of them told much; the others follow as they were guessed. */
  #telling: number;
  #blocks = 0;

  constructor(terms: readonly string[]) {
    this.#all = gramsOfTerms(terms);
    this.#grams = this.#all;
    this.#telling = this.#all.length;
  }

  get grams(): readonly number[] {
    return this.#grams;
  }

  /** Whether so few candidates are left that reading them is faster than asking for more grams. */
  isEnough(candidates: Bits, asked: number): boolean {
    return countOf(candidates) <= (asked < this.#telling ? FEW : SOME);
  }

  /** Counts a block, and tells whether to learn from it: the first, second, fourth and so on. */
  isDue(): boolean {
    this.#blocks += 1;
    return this.#all.length > 1 && (this.#blocks & (this.#blocks - 1)) === 0;
  }

  /** Takes what one block knows of each gram. */
  learn(known: ReadonlyMap<number, Bits>): void {
    const open = new Map(this.#all.map((gram) => [gram, known.get(gram) as Bits]));
    const telling: number[] = [];
    for (let count = Infinity, left: Bits | undefined; open.size > 0; ) {
      const [best, bits, least] = bestOf(open, left);
      if (count - least <= FEW) break;
      telling.push(best);
      open.delete(best);
      [left, count] = [bits, least];
    }
    this.#grams = [...telling, ...open.keys()];
    this.#telling = telling.length;
  }
}

/** The gram that leaves the fewest candidates, the first of them, and those. */
function bestOf(
  open: ReadonlyMap<number, Bits>,
  left: Bits | undefined,
): readonly [gram: number, left: Bits, count: number] {
  const all = [...open].map(([gram, bits]) => {
    const next = left === undefined ? bits : both(left, bits);
    return [gram, next, countOf(next)] as const;
  });
  return all.reduce((best, other) => (other[2] < best[2] ? other : best));
}
