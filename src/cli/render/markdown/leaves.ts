import type { Paint, Palette } from "../colour.js";
import { cutToFit, graphemes, textWidth } from "../width.js";
import { createRows, plain, type Row, type Rows, type Span, widthOf } from "../wrap.js";
import { createInlineFlow, type InlineFlow, setSpans } from "./inline.js";
import { isTooLarge, renderTable } from "./table.js";

/** Where a block is drawn: the terminal's current width and the start of each row. */
export interface Canvas {
  readonly palette: Palette;
  width(): number;
  prefix(columns: number): Row;
}

/** An open block. Returns rows as soon as they are final. */
export interface Block {
  /** Adds source text: whole lines, except in a paragraph. */
  add(text: string): Row[];
  end(): Row[];
  /** An independent block with the same text so far. */
  copy(canvas: Canvas): Block;
}

/** A paragraph, wrapped row by row as its words arrive. Line ends count as blanks. */
export function createParagraph(canvas: Canvas): Block {
  return createText(canvas, plain);
}

/** UTF-16 units. Every paint renders the whole heading, so a longer one is shown as written. */
const LONGEST_HEADING = 2_000;

/** Keeps the `#` marks, so that a heading is recognisable without colour. */
export function renderHeading(line: string, canvas: Canvas): Row[] {
  const [, mark = "", text = ""] = /^ *(#+)(.*)$/.exec(line) ?? [];
  const words = text.trim().replace(/(?:^|\s)#+$/, "");
  const { palette } = canvas;
  const paint = mark.length === 1 ? palette.bold.underline : palette.bold;
  const rows = createRows(canvas);
  rows.add({ text: `${mark} `, paint: palette.dim });
  if (words.length > LONGEST_HEADING) return [...rows.add({ text: words, paint }), ...rows.end()];
  const block = createText(canvas, paint, { rows });
  return [...block.add(words), ...block.end()];
}

interface CodeOptions {
  readonly label: string;
  /** How many leading blanks to remove from each line. */
  readonly indent: number;
}

/** A code block, each line after a bar. Further rows of a long line have a dotted bar. */
export function createCode(canvas: Canvas, { label, indent }: CodeOptions): Block {
  const { dim } = canvas.palette;
  return codeUnder(cutRows(label, canvas, { bars: ["╭ ", "┆ "], paint: dim }), canvas, indent);
}

/** @param top The rows above the code, unless they are already shown. */
function codeUnder(top: readonly Row[], canvas: Canvas, indent: number): Block {
  const { dim, cyan } = canvas.palette;
  let unshown = top;
  return {
    add(line) {
      const text = withoutIndent(line, indent);
      const rows = [...unshown, ...cutRows(text, canvas, { bars: ["│ ", "┆ "], paint: cyan })];
      unshown = [];
      return rows;
    },
    end() {
      return [...unshown, [...canvas.prefix(canvas.width()), { text: "╰", paint: dim }]];
    },
    copy: (other) => codeUnder(unshown, other, indent),
  };
}

/** A table, drawn when it is complete, as only then its widths are known. Too large: as written. */
export function createTable(canvas: Canvas, from: TableSource = noLines()): Block {
  const { lines } = from;
  let { characters, isGivenUp } = from;

  function giveUp(): Row[] {
    isGivenUp = true;
    return lines.flatMap((line) => cutRows(line, canvas, { bars: ["", ""], paint: plain }));
  }

  return {
    add(line) {
      if (isGivenUp) return cutRows(line, canvas, { bars: ["", ""], paint: plain });
      lines.push(line);
      characters += line.length;
      return isTooLarge(lines, characters) ? giveUp() : [];
    },
    end() {
      if (isGivenUp) return [];
      const columns = canvas.width();
      const first = canvas.prefix(columns);
      const room = Math.max(2, columns - widthOf(first));
      const rows = renderTable(lines, { columns: room, palette: canvas.palette });
      return rows.map((row, index) => [...(index === 0 ? first : canvas.prefix(columns)), ...row]);
    },
    copy: (other) => createTable(other, { lines: [...lines], characters, isGivenUp }),
  };
}

interface TableSource {
  readonly lines: string[];
  readonly characters: number;
  readonly isGivenUp: boolean;
}

const noLines = (): TableSource => ({ lines: [], characters: 0, isGivenUp: false });

export function renderRule(canvas: Canvas): Row {
  const columns = canvas.width();
  const prefix = canvas.prefix(columns);
  const length = Math.max(2, Math.min(40, columns - widthOf(prefix)));
  return [...prefix, { text: "─".repeat(length), paint: canvas.palette.dim }];
}

interface TextParts {
  readonly rows?: Rows;
  readonly inline?: InlineFlow;
}

function createText(canvas: Canvas, paint: Span["paint"], parts: TextParts = {}): Block {
  const {
    rows = createRows(canvas),
    inline = createInlineFlow({ palette: canvas.palette, paint }),
  } = parts;
  return {
    add: (text) => setSpans(rows, inline.add(text)),
    end: () => [...setSpans(rows, inline.end()), ...rows.end()],
    copy: (other) => createText(other, paint, { rows: rows.copy(other), inline: inline.copy() }),
  };
}

interface CutOptions {
  /** The bar before the first row, and the one before the others. */
  readonly bars: readonly [first: string, other: string];
  readonly paint: Paint;
}

/** Cuts text into rows wherever a row is full, instead of wrapping it. */
function cutRows(text: string, canvas: Canvas, { bars: [first, other], paint }: CutOptions): Row[] {
  const rows: Row[] = [];
  let row = "";
  let used = 0;
  let start = codeStart(canvas, first);
  function addPiece(piece: string): void {
    const columns = textWidth(piece);
    if (used > 0 && used + columns > start.room) {
      rows.push([...start.prefix, { text: row, paint }]);
      start = codeStart(canvas, other);
      row = "";
      used = 0;
    }
    row += piece;
    used += columns;
  }
  for (const grapheme of graphemes(text.replaceAll("\t", "    ")))
    cutToFit(grapheme, start.room).forEach(addPiece);
  return [...rows, [...start.prefix, { text: row, paint }]];
}

function codeStart(canvas: Canvas, bar: string): { prefix: Row; room: number } {
  const columns = canvas.width();
  const prefix = [...canvas.prefix(columns), { text: bar, paint: canvas.palette.dim }];
  return { prefix, room: Math.max(2, columns - widthOf(prefix)) };
}

/** Removes up to `indent` blanks, as CommonMark does in an indented fence. */
function withoutIndent(line: string, indent: number): string {
  const own = line.length - line.trimStart().length;
  return line.slice(Math.min(own, indent));
}
