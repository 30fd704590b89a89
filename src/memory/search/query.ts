import { AgnoChatError } from "../../errors.js";
import { latePattern } from "../../late-pattern.js";
import { fold } from "./fold.js";

/** How well a text matches. Better is larger. */
export type Fit = 0 | 1 | 2;

const LONGEST_QUERY = 500;

/** How many occurrences of a word are looked at to find one that stands alone. */
const OCCURRENCES_TRIED = 100;

/**
 * What somebody looks for: words that must all occur, also as parts of words.
 * @example
 * const query = new Query('tea "in the morning"');
 * console.log(query.matches("Green tea, in the morning")); // true
 */
export class Query {
  /** Folded, none of them empty. */
  readonly terms: readonly string[];
  readonly #phrase: string;

  /**
   * Words are separated by white space; those between two quotation marks are one phrase. Every
   * other character means itself.
   * @throws {AgnoChatError} `INVALID_INPUT` if there is nothing to look for, or too much
   */
  constructor(words: string) {
    if (typeof words !== "string" || words.length > LONGEST_QUERY)
      throw new AgnoChatError(
        "INVALID_INPUT",
        `A search takes a text of at most ${LONGEST_QUERY} characters.`,
      );
    const terms = [...words.matchAll(PHRASE_OR_WORD)]
      .map(([word, phrase]) => fold(phrase ?? word).trim())
      .filter((term) => term !== "");
    if (terms.length === 0)
      throw new AgnoChatError("INVALID_INPUT", "There is nothing to search for.", {
        hint: "Give words that the messages have in common.",
      });
    this.terms = [...new Set(terms)];
    this.#phrase = terms.join(" ");
  }

  matches(content: string): boolean {
    const text = fold(content);
    return this.terms.every((term) => text.includes(term));
  }

  /** Of a text that matches: 2 for the words side by side, 1 for whole words, 0 for parts. */
  fitOf(content: string): Fit {
    const text = fold(content);
    if (hasWhole(text, this.#phrase)) return 2;
    return this.terms.every((term) => hasWhole(text, term)) ? 1 : 0;
  }
}

const PHRASE_OR_WORD = /"([^"]*)"|\S+/g;

/** Whether the term begins and ends where words of the text do. */
function hasWhole(text: string, term: string): boolean {
  let start = text.indexOf(term);
  for (let tried = 0; start !== -1 && tried < OCCURRENCES_TRIED; tried += 1) {
    if (isBoundary(text, start) && isBoundary(text, start + term.length)) return true;
    start = text.indexOf(term, start + 1);
  }
  return false;
}

const isBoundary = (text: string, index: number): boolean =>
  !inWord().test(text.charAt(index - 1)) || !inWord().test(text.charAt(index));

/** Part of a word, in scripts that put spaces between words. */
const inWord = latePattern(
  String.raw`(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}\p{M}_]`,
  "u",
);
