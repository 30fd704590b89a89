import type { Paint } from "./colour.js";
import { cutToFit, graphemes, isWide, textWidth } from "./width.js";

/** A piece of text in one style. */
export interface Span {
  readonly text: string;
  readonly paint: Paint;
}

export interface RowOptions {
  /** Columns of the terminal, asked again and again. */
  readonly width: () => number;
  /** What the next row starts with; called once per row, with its columns. */
  readonly prefix: (width: number) => readonly Span[];
}

/** One row of the screen, its prefix included. */
export type Row = readonly Span[];

/** Text set in rows; a row is given as soon as it is full, once and never again. */
export interface Rows {
  /** More text; any run of blanks is one place to break. Text added must not cut a grapheme. */
  add(span: Span): Row[];
  /** Ends the row, if one was begun. */
  end(): Row[];
  /** The same text so far, to go on with apart from this one. */
  copy(options: RowOptions): Rows;
}

export const plain: Paint = (text) => text;

interface RowsState {
  /** What the row that was begun starts with. */
  start: readonly Span[] | undefined;
  /** Of the terminal when it was begun. */
  columns: number;
  room: number;
  row: Span[];
  used: number;
  gap: Span | undefined;
  word: Span[];
  wordWidth: number;
  last: string | undefined;
}

const emptyState = (): RowsState => ({
  start: undefined,
  columns: 0,
  room: 0,
  row: [],
  used: 0,
  gap: undefined,
  word: [],
  wordWidth: 0,
  last: undefined,
});

/** Sets text in rows of at most `width` columns, filled in order; a word wider than a row is broken, and so is a grapheme. */
export function createRows({ width, prefix }: RowOptions, from: RowsState = emptyState()): Rows {
  const set = from;

  function begin(): void {
    if (set.start !== undefined) return;
    set.columns = width();
    set.start = prefix(set.columns);
    set.room = Math.max(2, set.columns - widthOf(set.start));
  }

  /** Sets the row that was begun anew where the terminal is another width by now. */
  function refit(): Row[] {
    const columns = width();
    if (set.start === undefined || columns === set.columns) return [];
    const spans = [...set.row, ...(set.gap === undefined ? [] : [set.gap]), ...set.word];
    const room = Math.max(2, columns - widthOf(set.start));
    Object.assign(set, { columns, room, row: [], used: 0, gap: undefined });
    Object.assign(set, { word: [], wordWidth: 0, last: undefined });
    return spans.flatMap(addSpan);
  }

  function addSpan({ text, paint }: Span): Row[] {
    return graphemes(text).flatMap((grapheme) => place(grapheme, paint));
  }

  function flush(): Row {
    const full = [...(set.start ?? []), ...set.row];
    Object.assign(set, { start: undefined, row: [], used: 0, gap: undefined });
    return full;
  }

  function endWord(): void {
    const { gap, word } = set;
    if (word.length === 0) return;
    for (const span of gap === undefined ? word : [gap, ...word]) append(set.row, span);
    set.used += set.wordWidth + (gap === undefined ? 0 : 1);
    Object.assign(set, { gap: undefined, word: [], wordWidth: 0 });
  }

  /** Ends the rows that stand in the way of `columns` more in this word. */
  function makeRoom(columns: number): Row[] {
    const full: Row[] = [];
    begin();
    const gap = set.gap === undefined ? 0 : 1;
    if (set.row.length > 0 && set.used + gap + set.wordWidth + columns > set.room) {
      full.push(flush());
      begin();
    }
    if (set.word.length > 0 && set.wordWidth + columns > set.room) {
      endWord();
      full.push(flush());
      begin();
    }
    return full;
  }

  function place(grapheme: string, paint: Paint): Row[] {
    if (isBlank(grapheme)) {
      endWord();
      if (set.row.length > 0) set.gap = { text: " ", paint };
      set.last = undefined;
      return [];
    }
    if (set.last !== undefined && mayBreakBetween(set.last, grapheme)) endWord();
    set.last = grapheme;
    begin();
    return cutToFit(grapheme, set.room).flatMap((piece) => placePiece(piece, paint));
  }

  function placePiece(piece: string, paint: Paint): Row[] {
    const columns = textWidth(piece);
    const full = makeRoom(columns);
    append(set.word, { text: piece, paint });
    set.wordWidth += columns;
    return full;
  }

  return {
    add(span) {
      const rows = refit();
      return [...rows, ...addSpan(span)];
    },
    end() {
      const rows = refit();
      endWord();
      set.last = undefined;
      return set.start === undefined ? rows : [...rows, flush()];
    },
    copy(options) {
      return createRows(options, { ...set, row: [...set.row], word: [...set.word] });
    },
  };
}

/**
 * Plain text wrapped to `width` columns, every row starting with `indent` and ending with a line feed. Lines stay
 * lines: one that fits is kept as it is, the columns of a table included, and one that does not keeps its own
 * indentation on every row it needs.
 */
export function wrapText(
  text: string,
  { width, indent }: { readonly width: number; readonly indent: string },
): string {
  let wrapped = "";
  for (const line of text.split("\n")) wrapped += wrapLine(line, width, indent);
  return wrapped;
}

/** One row without the blanks at its end; each span painted by itself, so that no style reaches beyond its row. */
export function paintRow(row: Row): string {
  const last = row.findLastIndex(({ text }) => text.trimEnd() !== "");
  const painted = row.slice(0, last + 1).map(({ text, paint }, index) => {
    const shown = index === last ? text.trimEnd() : text;
    return shown === "" ? "" : paint(shown);
  });
  return `${painted.join("")}\n`;
}

export function widthOf(spans: readonly Span[]): number {
  return spans.reduce((total, { text }) => total + textWidth(text), 0);
}

function wrapLine(line: string, width: number, indent: string): string {
  const whole = `${indent}${line.replaceAll("\t", "  ")}`.trimEnd();
  if (textWidth(whole) <= width) return `${whole}\n`;
  const own = (/^[ \t]*/.exec(line)?.[0] ?? "").replaceAll("\t", "  ");
  const start = indent + own.slice(0, Math.max(0, Math.floor(width / 2) - indent.length));
  const rows = createRows({ width: () => width, prefix: () => [{ text: start, paint: plain }] });
  const wrapped = [...rows.add({ text: line, paint: plain }), ...rows.end()];
  return wrapped.length === 0 ? `${indent.trimEnd()}\n` : wrapped.map(paintRow).join("");
}

function append(spans: Span[], span: Span): void {
  const before = spans.at(-1);
  if (before?.paint !== span.paint) spans.push(span);
  else spans[spans.length - 1] = { text: before.text + span.text, paint: span.paint };
}

/** A no-break space is no blank: nothing may be broken there. */
function isBlank(grapheme: string): boolean {
  return grapheme === " " || grapheme === "\n" || grapheme === "\t";
}

/** Beside wide characters a row may end without a blank, but not before closing or after opening punctuation. */
function mayBreakBetween(before: string, after: string): boolean {
  if (!isWide(before) && !isWide(after)) return false;
  const isClosing = /^[\p{Pe}\p{Pf}\p{Po}\u30fc]/u.test(after);
  return !isClosing && !/^[\p{Ps}\p{Pi}]/u.test(before);
}
