import { graphemes } from "../render/width.js";

const ESCAPE = "\x1b";
const SGR = new RegExp(`${ESCAPE}\\[[\\d;:]*m`, "g");
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** East Asian Wide and Fullwidth (UAX #11), and whatever is an emoji by default (UTS #51). */
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$/u;

const EMOJI_VARIATION = "\ufe0f";

/**
 * The most columns that any terminal gives to `text`, SGR colour not counted. Terminals disagree on joined emoji: some
 * draw every part of a family side by side, so every part is counted.
 */
export function textWidth(text: string): number {
  const plain = text.replace(SGR, "");
  if (PRINTABLE_ASCII.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) width += characterWidth(character);
  return width;
}

/** `text` cut into rows of at most `columns` columns: joined they are `text` again. Always at least one row. */
export function wrapRows(text: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "";
  let used = 0;
  for (const piece of pieces(text)) {
    const width = textWidth(piece);
    if (used + width > columns && used > 0) {
      rows.push(row);
      row = "";
      used = 0;
    }
    row += piece;
    used += width;
  }
  return [...rows, row];
}

/** The colour that is on after `text`: its SGR sequences in order. */
export function colourAfter(text: string): string {
  return (text.match(SGR) ?? []).join("");
}

function* pieces(text: string): Generator<string> {
  let from = 0;
  for (const { 0: colour, index } of text.matchAll(SGR)) {
    yield* graphemes(text.slice(from, index));
    yield colour;
    from = index + colour.length;
  }
  yield* graphemes(text.slice(from));
}

function characterWidth(character: string): number {
  if (character === EMOJI_VARIATION) return 1;
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
