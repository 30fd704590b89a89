/**
 * Text as it is compared in a search: lower case, without accents, and with every run of white
 * space as one space. Compatibility forms are equal: `ＡＢＣ` is `abc`. Marks that are no accents
 * stay, since か and が are different letters.
 */
export function fold(text: string): string {
  const lower = PLAIN.test(text)
    ? text.toLowerCase()
    : lowered(text.normalize("NFKD").replace(IGNORED, ""));
  return UNEVEN_SPACE.test(lower) ? lower.replace(/\s+/g, " ") : lower;
}

/** A folded text, and for each of its UTF-16 units the unit of the text that it came from. */
export interface FoldedText {
  readonly folded: string;
  /** One more than there are units: the last is the length of the text. */
  readonly origins: readonly number[];
}

/** The same, much slower, with the way back. */
export function foldWithOrigins(text: string): FoldedText {
  let folded = "";
  const origins: number[] = [];
  for (let index = 0; index < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(index) as number);
    for (const unit of fold(character).split("")) {
      if (unit === " " && folded.endsWith(" ")) continue;
      folded += unit;
      origins.push(index);
    }
    index += character.length;
  }
  origins.push(text.length);
  return { folded, origins };
}

/** ASCII, dashes, quotation marks, Han characters: these have no other form, which saves half. */
const PLAIN = /^[\0-\x7f\u2012-\u2015\u2018-\u201f\u4e00-\u9fff]*$/;

/** Accents of alphabets, and the marks that choose how an emoji looks. */
const IGNORED = /[\u0300-\u036f\ufe0e\ufe0f]/g;

const UNEVEN_SPACE = /[^\S ]|\s\s/;

/** Whatever stands around a letter: a sigma that ends a word is a sigma. */
const lowered = (text: string): string => text.toLowerCase().replaceAll("ς", "σ");
