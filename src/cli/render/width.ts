import { latePattern } from "../../late-pattern.js";

/** SGR colour sequences. */
export const SGR = /\x1b\[[\d;:]*m/g;

const PRINTABLE_ASCII = /^[ -~]*$/;

/** East Asian Wide and Fullwidth (UAX #11), and all emoji (UTS #51), even those shown as text. */
const wide = latePattern(
  String.raw`^[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{193ff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]`,
  "u",
);

/** Invisible characters, and the combining marks to which every terminal gives no column. */
const noWidth = latePattern(
  String.raw`^(?:[\u200b-\u200f\u2060-\u2063\ufeff]|[\ufe00-\ufe0e]|[\u20d0-\u20ef]|(?=[\p{Mn}\p{Me}])[\u0300-\u0486\u0488-\u0615\u064b-\u065e\u0660-\u07f3\u0901-\u0939\u093c-\u0954\u0958-\u09e3\u0a01-\u0a4d\u0e00-\u0eb9\u302a-\u309a])`,
  "u",
);

/** UTF-16 units. The segmenter's time grows with the square of its input. */
const PIECE = 1000;

let segmenter: Intl.Segmenter | undefined;

/**
 * Splits `text` into the characters a reader sees: a letter with its marks, a joined emoji, a flag.
 * One longer than 1,000 UTF-16 units comes in parts. Linear in the length of `text`.
 */
export function graphemes(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return text.split("");
  const found: string[] = [];
  let from = 0;
  while (from < text.length) {
    const end = pieceEnd(text, from);
    const piece = segments(text.slice(from, end));
    // The last one may continue in the next piece.
    if (end < text.length && piece.length > 1) piece.pop();
    for (const grapheme of piece) {
      found.push(grapheme);
      from += grapheme.length;
    }
  }
  return found;
}

/**
 * The most columns any terminal uses for `text`, without its SGR colours, so that no terminal wraps
 * a row laid out with it. Terminals disagree on joined emoji and flags. Some draw every part side
 * by side, so every part counts here; elsewhere, a table with such an emoji shows a gap.
 */
export function textWidth(text: string): number {
  const plain = text.replace(SGR, "");
  if (PRINTABLE_ASCII.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) width += characterWidth(character);
  return width;
}

/** Whether `text` begins with a character of two columns, such as a Chinese one. */
export function isWide(text: string): boolean {
  return wide().test(text);
}

/** The whole grapheme if it fits into `columns` (at least 2), otherwise its code points. */
export function cutToFit(grapheme: string, columns: number): string[] {
  return textWidth(grapheme) <= columns ? [grapheme] : Array.from(grapheme);
}

function pieceEnd(text: string, from: number): number {
  const end = from + PIECE;
  const cutsPair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(end - 1, end + 1));
  return cutsPair ? end + 1 : end;
}

function segments(text: string): string[] {
  // Created on first use: it would delay the first prompt by a tenth.
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** An emoji variation selector counts as one column, as it may widen the character before it. */
function characterWidth(character: string): number {
  if (noWidth().test(character)) return 0;
  return wide().test(character) ? 2 : 1;
}
