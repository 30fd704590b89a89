import type { Paint, Palette } from "../colour.js";
import { cutToFit, graphemes, textWidth } from "../width.js";
import { createRows, plain, type Row, type Span, widthOf } from "../wrap.js";
import { createInlineFlow, setSpans } from "./inline.js";
import { renderTable } from "./table.js";

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
}

/** A paragraph flows row by row while its words arrive; line breaks are blanks. */
export function createParagraph(canvas: Canvas): Block {
  return createText(canvas, plain, []);
}

/** Headings keep their `#`, so that they show without colour too. */
export function renderHeading(line: string, canvas: Canvas): Row[] {
  const [, mark = "", text = ""] = /^ *(#+)(.*)$/.exec(line) ?? [];
  const words = text.trim().replace(/(?:^|\s)#+$/, "");
  const { palette } = canvas;
  const paint = mark.length === 1 ? palette.bold.underline : palette.bold;
  const block = createText(canvas, paint, [{ text: `${mark} `, paint: palette.dim }]);
  return [...block.add(words), ...block.end()];
}

/** A code block, line by line behind a bar; a row that goes on with a long line has a dotted one. */
export function createCode(
  canvas: Canvas,
  { label, indent }: { label: string; indent: number },
): Block {
  const { dim, cyan } = canvas.palette;
  let top = cutRows(label, canvas, { bars: ["╭ ", "┆ "], paint: dim });
  return {
    add(line) {
      const text = withoutIndent(line, indent);
      const rows = [...top, ...cutRows(text, canvas, { bars: ["│ ", "┆ "], paint: cyan })];
      top = [];
      return rows;
    },
    end() {
      return [...top, [...canvas.prefix(canvas.width()), { text: "╰", paint: dim }]];
    },
  };
}

/** A table is drawn when it is complete: only then are its columns known. */
export function createTable(canvas: Canvas): Block {
  let source = "";
  return {
    add(line) {
      source += `${line}\n`;
      return [];
    },
    end() {
      const columns = canvas.width();
      const first = canvas.prefix(columns);
      const room = Math.max(2, columns - widthOf(first));
      const rows = renderTable(source, { columns: room, palette: canvas.palette });
      return rows.map((row, index) => [...(index === 0 ? first : canvas.prefix(columns)), ...row]);
    },
  };
}

export function renderRule(canvas: Canvas): Row {
  const columns = canvas.width();
  const prefix = canvas.prefix(columns);
  const length = Math.max(2, Math.min(40, columns - widthOf(prefix)));
  return [...prefix, { text: "─".repeat(length), paint: canvas.palette.dim }];
}

function createText(canvas: Canvas, paint: Span["paint"], lead: readonly Span[]): Block {
  const rows = createRows({ width: canvas.width, prefix: canvas.prefix });
  const inline = createInlineFlow({ palette: canvas.palette, paint });
  setSpans(rows, lead);
  return {
    add: (text) => setSpans(rows, inline.add(text)),
    end: () => [...setSpans(rows, inline.end()), ...rows.end()],
  };
}

/** Text as it stands, cut where the row is full; the first row and the others have bars of their own. */
interface CodeRows {
  /** In front of the first row, and of every row that goes on with it. */
  readonly bars: readonly [first: string, other: string];
  readonly paint: Paint;
}

function cutRows(text: string, canvas: Canvas, { bars: [first, other], paint }: CodeRows): Row[] {
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
