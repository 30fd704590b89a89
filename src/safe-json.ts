/**
 * Characters that JSON does not escape but a terminal may obey: C1 controls, bidi, separators,
 * tags.
 */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** One line of JSON that parses to the same value and is safe on a terminal. */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(UNSAFE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
