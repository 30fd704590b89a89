import { cutToFit, graphemes, SGR, textWidth } from "../render/width.js";

/** Cuts `text` into rows of at most `columns` columns. Joined, they are `text`; at least one. */
export function wrapRows(text: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "";
  let used = 0;
  for (const piece of pieces(text, columns)) {
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

/** The SGR sequences of `text`, in order: they set the colour that is on at its end. */
export function colourAfter(text: string): string {
  return (text.match(SGR) ?? []).join("");
}

function* pieces(text: string, columns: number): Generator<string> {
  let from = 0;
  for (const { 0: colour, index } of text.matchAll(SGR)) {
    yield* fitting(text.slice(from, index), columns);
    yield colour;
    from = index + colour.length;
  }
  yield* fitting(text.slice(from), columns);
}

function fitting(text: string, columns: number): string[] {
  return graphemes(text).flatMap((grapheme) => cutToFit(grapheme, columns));
}
