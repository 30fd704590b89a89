import type { Paint, Palette } from "../colour.js";
import { cutToFit, graphemes, textWidth } from "../width.js";
import { createRows, plain, type Row, type Rows, type Span, widthOf } from "../wrap.js";
import { createInlineFlow, type InlineFlow, setSpans } from "./inline.js";
import { isTooLarge, renderTable } from "./table.js";

/** Where a block is drawn: the width of the terminal now, and what each row starts with. */
export interface Canvas {
  readonly palette: Palette;
  width(): number;
  prefix(columns: number): Row;
}

/** A block that is open. Rows come as soon as they are certain. */
export interface Block {
  /** More of its source; all but a paragraph get whole lines. */
  add(text: string): Row[];
  end(): Row[];
  /** The same block so far, to go on with apart from this one. */
  copy(canvas: Canvas): Block;
}

/** A paragraph flows row by row while its words arrive; line breaks are blanks. */
export function createParagraph(canvas: Canvas): Block {
  return createText(canvas, plain);
}

/** In UTF-16 units. A heading is drawn whole at every paint: a longer one is shown as written. */
const LONGEST_HEADING = 2_000;

/** Headings keep their `#`, so that they show without colour too. */
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
  /** Blanks that every line may have in front. */
  readonly indent: number;
}

/** A code block, line by line behind a bar; a row that goes on with a long line has a dotted one. */
export function createCode(canvas: Canvas, { label, indent }: CodeOptions): Block {
  const { dim } = canvas.palette;
  return codeUnder(cutRows(label, canvas, { bars: ["╭ ", "┆ "], paint: dim }), canvas, indent);
}

/** @param top The rows above the first line of code, while they are not shown yet. */
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

/** A table is drawn when it is complete: only then are its columns known. One too large comes as it was written. */
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

/** Text as it stands, cut where the row is full; the first row and the others have bars of their own. */
interface CutOptions {
  /** In front of the first row, and of every row that goes on with it. */
  readonly bars: readonly [first: string, other: string];
  readonly paint: Paint;
}

function cutRows(text: string, canvas: Canvas, { bars: [first, other], paint }: CutOptions): Row[] {
  const rows: Row[] = [];
  let row = "";
  let used = 0;
  let start = codeStart(canvas, first);
  function place(piece: string): void {
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
    cutToFit(grapheme, start.room).forEach(place);
  return [...rows, [...start.prefix, { text: row, paint }]];
}

function codeStart(canvas: Canvas, bar: string): { prefix: Row; room: number } {
  const columns = canvas.width();
  const prefix = [...canvas.prefix(columns), { text: bar, paint: canvas.palette.dim }];
  return { prefix, room: Math.max(2, columns - widthOf(prefix)) };
}

/** Takes away up to `indent` blanks, as a fence that is indented itself asks for. */
function withoutIndent(line: string, indent: number): string {
  const own = line.length - line.trimStart().length;
  return line.slice(Math.min(own, indent));
}
