import type { Palette } from "../colour.js";
import { createRows, plain, type Row, type Span, widthOf } from "../wrap.js";
import { createInlineFlow, type Style, setSpans } from "./inline.js";

export interface TableOptions {
  readonly columns: number;
  readonly palette: Palette;
}

type Align = "left" | "center" | "right";

const NARROWEST = 4;
const SEPARATOR = " │ ";
const DELIMITER = /^:?-+:?$/;

/** The largest table to draw. Cells count too: short rows below a long header become many. */
const LIMITS = { columns: 64, cells: 4_000, characters: 16_384 };

/** Whether the two lines are the header and delimiter rows of a table. */
export function startsTable(header: string, delimiter: string): boolean {
  if (!header.includes("|") || !/^[\s|:-]*-[\s|:-]*$/.test(delimiter)) return false;
  const marks = cellsOf(delimiter);
  const isMatching = marks.length === cellsOf(header).length && marks.length <= LIMITS.columns;
  return isMatching && marks.every((mark) => DELIMITER.test(mark));
}

/** Whether a table of these lines would take too long to draw. */
export function isTooLarge(lines: readonly string[], characters: number): boolean {
  if (characters > LIMITS.characters) return true;
  return cellsOf(lines[1] ?? "").length * lines.length > LIMITS.cells;
}

/**
 * The rows of a table, at most `columns` wide. Wide columns shrink and their cells wrap. If less
 * than four columns each are left, every cell is on a row of its own, after its heading.
 */
export function renderTable(lines: readonly string[], options: TableOptions): Row[] {
  const { palette, columns } = options;
  const [head = "", delimiter = "", ...rows] = lines;
  const align = cellsOf(delimiter).map(alignOf);
  const header = cellsOf(head).map((cell) => spansOf(cell, { palette, paint: palette.bold }));
  const body = rows.map((row) =>
    withCellCount(cellsOf(row), align.length).map((cell) =>
      spansOf(cell, { palette, paint: plain }),
    ),
  );
  const widths = columnWidths([header, ...body], columns);
  if (widths === undefined) return stacked(header, body, options);
  const layout = { widths, align, palette };
  const rule = widths.map((width) => "─".repeat(width)).join("─┼─");
  return [
    ...tableRow(header, layout),
    [{ text: rule, paint: palette.dim }],
    ...body.flatMap((row) => tableRow(row, layout)),
  ];
}

function cellsOf(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** Exactly `count` cells. The last one also holds any surplus, so that no text is lost. */
function withCellCount(cells: readonly string[], count: number): string[] {
  const last = cells.slice(count - 1).join(" | ");
  return Array.from({ length: count }, (_, index) =>
    index === count - 1 ? last : (cells[index] ?? ""),
  );
}

function alignOf(mark: string): Align {
  if (!mark.endsWith(":")) return "left";
  return mark.startsWith(":") ? "center" : "right";
}

function spansOf(cell: string, style: Style): Span[] {
  const flow = createInlineFlow(style);
  return [...flow.add(cell), ...flow.end()];
}

/** Natural widths if they fit; otherwise the widest columns shrink first. Undefined: no room. */
function columnWidths(rows: readonly Span[][][], columns: number): number[] | undefined {
  const count = rows[0]?.length ?? 0;
  const room = columns - SEPARATOR.length * (count - 1);
  if (room < NARROWEST * count) return undefined;
  const natural = Array.from({ length: count }, (_, index) =>
    Math.max(1, ...rows.map((row) => widthOf(row[index] ?? []))),
  );
  return shrink(natural, room);
}

/** Limits the widths to the largest cap that keeps their sum within `room`. */
function shrink(widths: readonly number[], room: number): number[] {
  const capped = (cap: number) => widths.map((width) => Math.min(width, cap));
  let cap = Math.min(room, Math.max(...widths));
  while (cap > NARROWEST && sum(capped(cap)) > room) cap -= 1;
  return capped(cap);
}

interface Layout {
  readonly widths: readonly number[];
  readonly align: readonly Align[];
  readonly palette: Palette;
}

function tableRow(cells: readonly Span[][], { widths, align, palette }: Layout): Row[] {
  const columns = cells.map((cell, index) => wrapCell(cell, widths[index] ?? 1));
  const height = Math.max(1, ...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    columns.flatMap((lines, index) => {
      const content = lines[line] ?? [];
      const blanks = (widths[index] ?? 1) - widthOf(content);
      const cell = pad(content, { blanks, align: align[index] ?? "left" });
      return index === 0 ? cell : [{ text: SEPARATOR, paint: palette.dim }, ...cell];
    }),
  );
}

function wrapCell(cell: readonly Span[], width: number): Row[] {
  const rows = createRows({ width: () => width, prefix: () => [] });
  return [...setSpans(rows, cell), ...rows.end()];
}

function pad(content: Row, { blanks, align }: { blanks: number; align: Align }): Row {
  if (align === "right") return [blank(blanks), ...content];
  if (align !== "center") return [...content, blank(blanks)];
  const before = Math.floor(blanks / 2);
  return [blank(before), ...content, blank(blanks - before)];
}

function blank(width: number): Span {
  return { text: " ".repeat(Math.max(0, width)), paint: plain };
}

function stacked(
  header: readonly Span[][],
  body: readonly Span[][][],
  { columns, palette }: TableOptions,
): Row[] {
  const colon: Span = { text: ": ", paint: palette.bold };
  const cellRows = (cell: readonly Span[], index: number) =>
    wrapCell([...(header[index] ?? []), colon, ...cell], columns);
  const rule: Row = [{ text: "─".repeat(columns), paint: palette.dim }];
  return body.flatMap((row, index) => [...(index === 0 ? [] : [rule]), ...row.flatMap(cellRows)]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
