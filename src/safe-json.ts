/** What JSON leaves as it is though a terminal may act on it: C1 controls, bidi, separators, tags. */
const LIVE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** One line of JSON that reads back as the same value and is harmless on a terminal. */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(LIVE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
