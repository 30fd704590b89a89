/** SGR colour sequences. */
export const SGR = /\x1b\[[\d;:]*m/g;

const PRINTABLE_ASCII = /^[ -~]*$/;

/** East Asian Wide and Fullwidth (UAX #11), and the blocks of emoji, also of those that are text by default (UTS #51). */
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{193ff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Invisible characters, and the marks of scripts that every terminal knows; some give newer marks a column. */
const NO_WIDTH =
  /^(?:[\u200b-\u200f\u2060-\u2063\ufeff]|[\ufe00-\ufe0e]|[\u20d0-\u20ef]|(?=[\p{Mn}\p{Me}])[\u0300-\u0486\u0488-\u0615\u064b-\u065e\u0660-\u07f3\u0901-\u0939\u093c-\u0954\u0958-\u09e3\u0a01-\u0a4d\u0e00-\u0eb9\u302a-\u309a])/u;

/** In UTF-16 units. The segmenter takes time by the square of what it is given. */
const PIECE = 1000;

let segmenter: Intl.Segmenter | undefined;

/**
 * What a reader sees as one character each: a letter with its marks, a joined emoji, a flag; joined they are `text`. One
 * of more than 1,000 UTF-16 units comes in parts. Linear in the length of `text`.
 */
export function graphemes(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return text.split("");
  const found: string[] = [];
  let from = 0;
  while (from < text.length) {
    const end = pieceEnd(text, from);
    const piece = segments(text.slice(from, end));
    // The last may go on in the next piece.
    if (end < text.length && piece.length > 1) piece.pop();
    for (const grapheme of piece) {
      found.push(grapheme);
      from += grapheme.length;
    }
  }
  return found;
}

/**
 * The most columns that terminals give to `text`, SGR colour not counted: what is laid out by it is never wrapped by the
 * terminal, which would begin a row of its own. Terminals disagree on joined emoji and flags: some draw every part of a
 * family side by side, so every part is counted, and a table with one in it may show a gap.
 */
export function textWidth(text: string): number {
  const plain = text.replace(SGR, "");
  if (PRINTABLE_ASCII.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) width += characterWidth(character);
  return width;
}

/** Whether `text` begins with a character of two columns, as those of Chinese. */
export function isWide(text: string): boolean {
  return WIDE.test(text);
}

/** The grapheme whole where it fits into `columns`, at least 2; else its characters, which then do. */
export function cutToFit(grapheme: string, columns: number): string[] {
  return textWidth(grapheme) <= columns ? [grapheme] : Array.from(grapheme);
}

function pieceEnd(text: string, from: number): number {
  const end = from + PIECE;
  const cutsPair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(end - 1, end + 1));
  return cutsPair ? end + 1 : end;
}

function segments(text: string): string[] {
  // Made when first needed: it holds up the first prompt by a tenth.
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** An emoji variation selector takes the one column that it may add to the character before. */
function characterWidth(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
