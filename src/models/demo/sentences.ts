import { latePattern } from "../../late-pattern.js";

/**
 * Whether a text contains one of these, in capitals or not. It is asked before patterns that need
 * one: most texts have none, and to compile a pattern takes up to 1 ms.
 */
export function mentions(text: string, ...words: readonly string[]): boolean {
  const small = text.toLowerCase();
  return words.some((word) => small.includes(word));
}

/** One statement or question of a text. */
export interface Clause {
  readonly text: string;
  readonly isQuestion: boolean;
}

/** Where one sentence contains two: "my name is Al, and what is yours?" */
const joint = latePattern(
  String.raw`(?:,|\s(?:and|but))+\s+(?=(?:I|I['’]m|my name|my(?=(?:\s[\p{L}'’-]+){1,4}\s(?:is|are|was|were)\b)|call me|please|what|what['’]s|who|where|when|how|do|is|you(?=\W*$))\b)`,
  "giu",
);

/** What `joint` begins with. It takes 2 ms to compile, and most texts need it not. */
const MAY_JOIN = /(?:,|\s(?:and|but))\s/i;

/** A full stop ends a clause unless it stands inside a word or after a title. */
const CLAUSE =
  /((?:(?<=\b(?:Dr|Mr|Mrs|Ms|Prof|St))\.|\.(?=\S)|[^.;!?。、！？\n])+)([.;!?。、！？]*)/g;

/** Words before a statement that do not change its meaning. */
const OPENING =
  /^(?:(?:hi|hello|hey|well|so|ok|okay|and|but|also|actually|now|please|yes|no|by the way)\b[,\s]*|(?:remember|note)\b(?: that)?\s+)*/i;

/** Words that only begin questions. */
const QUESTION =
  /^(?:what|whats|who|whos|where|when|why|how|which|whose|do|does|did|is|are|am|can|could|will|would|say|tell)\b/i;

/** The clauses of a text, in order, without their opening words and punctuation. */
const clausesOf = (text: string): Clause[] =>
  [...(MAY_JOIN.test(text) ? text.replace(joint(), "\n") : text).matchAll(CLAUSE)]
    .map(([, words = "", end = ""]) => {
      const clause = words.trim().replace(OPENING, "");
      return { text: clause, isQuestion: /[?？]/.test(end) || QUESTION.test(clause) };
    })
    .filter(({ text }) => text !== "");

/** The statements among everything said, oldest first. */
export const statementsIn = (said: readonly string[]): string[] =>
  said.flatMap(clausesOf).flatMap(({ text, isQuestion }) => (isQuestion ? [] : [text]));

/** Turns "my" into "your" and so on, to repeat to users what they said. */
export const toYou = (text: string): string =>
  text
    .replace(/\bmy\b/gi, "your")
    .replace(/\bmyself\b/gi, "yourself")
    .replace(/\bme\b/gi, "you")
    .replace(/\bI am\b|\bI['’]m\b/g, "you are")
    .replace(/\bI\b/g, "you");

export const capitalised = (text: string): string =>
  text.replace(/^\p{Ll}/u, (first) => first.toUpperCase());
