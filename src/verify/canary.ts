import type { Random } from "./random.js";

export type CanaryKind =
  | "message"
  | "reply"
  | "tool-argument"
  | "tool-result"
  | "state-key"
  | "state-value";

/** A random text that exactly one run planted, so whoever sees it has seen that run. */
export interface Canary<Owner> {
  readonly text: string;
  readonly kind: CanaryKind;
  readonly owner: Owner;
}

/** Hexadecimal digits are no word or markup, and survive JSON, NFC and case folding. */
const LENGTH = 18;

/** Longest text whose encoded forms are looked at as well: they cost several passes. */
const MOST_DECODED = 200_000;

/** Longer than a message of the check. */
const LONGEST_REMEMBERED = 200;

/** Every canary of a check, and where they appear in a text. */
export class Canaries<Owner> {
  readonly #randomOf: (owner: Owner) => Random;
  readonly #byText = new Map<string, Canary<Owner>>();
  readonly #seen = new Set<Canary<Owner>>();
  /**
   * What was found in earlier texts and possibly encoded words, because every request repeats the
   * history.
   */
  readonly #found = new Map<string, readonly Canary<Owner>[]>();

  /**
   * @param randomOf Where the texts of an owner come from: each with its own numbers, they are the
   *   same in whatever order the owners plant them.
   */
  constructor(randomOf: (owner: Owner) => Random) {
    this.#randomOf = randomOf;
  }

  /** Whether the owner of a canary saw it. */
  isSeen(canary: Canary<Owner>): boolean {
    return this.#seen.has(canary);
  }

  get all(): readonly Canary<Owner>[] {
    return [...this.#byText.values()];
  }

  plant(kind: CanaryKind, owner: Owner): string {
    const text = this.#randomOf(owner).hex(LENGTH);
    this.#byText.set(text, { text, kind, owner });
    return text;
  }

  /** Notes that the owner of a canary saw it. */
  see(canary: Canary<Owner>): void {
    this.#seen.add(canary);
  }

  /**
   * The canaries in a text, in order of appearance, each time it appears. Encoded forms come after
   * plain ones: reversed, in hexadecimal or Base64, or percent-encoded.
   */
  in(text: string): readonly Canary<Owner>[] {
    const known = this.#found.get(text);
    if (known !== undefined) return known;
    const found = this.#lookedUp(text);
    if (found.length > 0 && text.length < LONGEST_REMEMBERED) this.#found.set(text, found);
    return found;
  }

  #lookedUp(text: string): Canary<Owner>[] {
    const plain = this.#plainIn(text.toLowerCase());
    if (text.length > MOST_DECODED) return plain;
    const encoded = ENCODINGS.flatMap((encoding) =>
      Array.from(text.matchAll(encoding.pattern), ({ 0: word }) => this.#encodedIn(word, encoding)),
    );
    return [...plain, ...encoded.flat()];
  }

  /** Remembers ids of messages and runs, because every document repeats them. */
  #encodedIn(word: string, { name, formsOf }: Encoding): readonly Canary<Owner>[] {
    const key = `${name} ${word}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = formsOf(word).flatMap((form) => this.#plainIn(form));
    this.#found.set(key, found);
    return found;
  }

  #plainIn(text: string): Canary<Owner>[] {
    const found: Canary<Owner>[] = [];
    for (const { 0: digits } of text.matchAll(/[0-9a-f]{18,}/g))
      for (let start = 0; start + LENGTH <= digits.length; start++) {
        const canary = this.#byText.get(digits.slice(start, start + LENGTH));
        if (canary === undefined) continue;
        found.push(canary);
        start += LENGTH - 1;
      }
    return found;
  }
}

/** Words that may be something encoded, and what they mean then. */
interface Encoding {
  readonly name: string;
  readonly pattern: RegExp;
  formsOf(word: string): readonly string[];
}

const ENCODINGS: readonly Encoding[] = [
  {
    name: "hexadecimal or reversed",
    pattern: /[0-9a-fA-F]{18,}/g,
    formsOf(word) {
      const digits = word.toLowerCase();
      const shifts = [digits, digits.slice(1)].map((text) => Buffer.from(text, "hex"));
      return [[...digits].reverse().join(""), ...shifts.map((bytes) => bytes.toString("latin1"))];
    },
  },
  {
    // 18 bytes are 24 characters of Base64; where the first byte begins is unknown.
    name: "Base64",
    pattern: /[\w+/-]{24,}/g,
    formsOf: (word) =>
      [0, 1, 2, 3].map((start) =>
        Buffer.from(word.slice(start), "base64").toString("latin1").toLowerCase(),
      ),
  },
  {
    name: "percent-encoded",
    pattern: /(?:%[0-9a-fA-F]{2}){18,}/g,
    formsOf: (word) => [
      Buffer.from(word.replaceAll("%", ""), "hex").toString("latin1").toLowerCase(),
    ],
  },
];
