import type { Paint } from "./colour.js";
import { cutToFit, graphemes, isWide, textWidth } from "./width.js";

/** A piece of text in one style. */
export interface Span {
  readonly text: string;
  readonly paint: Paint;
}

export interface RowOptions {
  /** The terminal's columns, read again for every row. */
  readonly width: () => number;
  /** The start of the next row. Called once per row, with the terminal's columns. */
  readonly prefix: (width: number) => readonly Span[];
}

/** One row of the screen, including its prefix. */
export type Row = readonly Span[];

/** Wraps text into rows. Returns each row once, as soon as it is full. */
export interface Rows {
  /** Adds text that does not end inside a grapheme. Blanks in a row become one blank or a break. */
  add(span: Span): Row[];
  /** Finishes an unfinished row. */
  end(): Row[];
  /** Independent rows with the same text so far. */
  copy(options: RowOptions): Rows;
}

export const plain: Paint = (text) => text;

interface RowsState {
  /** The prefix of the current row; undefined between rows. */
  start: readonly Span[] | undefined;
  /** The terminal's columns when the current row began. */
  columns: number;
  /** The columns left for text after the prefix. */
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

/** Fills rows of at most `width` columns. Breaks a word, or even a grapheme, that is wider. */
export function createRows({ width, prefix }: RowOptions, from: RowsState = emptyState()): Rows {
  const state = from;

  function begin(): void {
    if (state.start !== undefined) return;
    state.columns = width();
    state.start = prefix(state.columns);
    state.room = Math.max(2, state.columns - widthOf(state.start));
  }

  /** Wraps the current row again if the terminal's width has changed. */
  function refit(): Row[] {
    const columns = width();
    if (state.start === undefined || columns === state.columns) return [];
    const spans = [...state.row, ...(state.gap === undefined ? [] : [state.gap]), ...state.word];
    const room = Math.max(2, columns - widthOf(state.start));
    Object.assign(state, { columns, room, row: [], used: 0, gap: undefined });
    Object.assign(state, { word: [], wordWidth: 0, last: undefined });
    return spans.flatMap(addSpan);
  }

  function addSpan({ text, paint }: Span): Row[] {
    return graphemes(text).flatMap((grapheme) => addGrapheme(grapheme, paint));
  }

  function flush(): Row {
    const full = [...(state.start ?? []), ...state.row];
    Object.assign(state, { start: undefined, row: [], used: 0, gap: undefined });
    return full;
  }

  function endWord(): void {
    const { gap, word } = state;
    if (word.length === 0) return;
    for (const span of gap === undefined ? word : [gap, ...word]) append(state.row, span);
    state.used += state.wordWidth + (gap === undefined ? 0 : 1);
    Object.assign(state, { gap: undefined, word: [], wordWidth: 0 });
  }

  /** Ends rows until the current word has room for `columns` more. */
  function makeRoom(columns: number): Row[] {
    const full: Row[] = [];
    begin();
    const gap = state.gap === undefined ? 0 : 1;
    if (state.row.length > 0 && state.used + gap + state.wordWidth + columns > state.room) {
      full.push(flush());
      begin();
    }
    if (state.word.length > 0 && state.wordWidth + columns > state.room) {
      endWord();
      full.push(flush());
      begin();
    }
    return full;
  }

  function addGrapheme(grapheme: string, paint: Paint): Row[] {
    if (isBlank(grapheme)) {
      endWord();
      if (state.row.length > 0) state.gap = { text: " ", paint };
      state.last = undefined;
      return [];
    }
    if (state.last !== undefined && mayBreakBetween(state.last, grapheme)) endWord();
    state.last = grapheme;
    begin();
    return cutToFit(grapheme, state.room).flatMap((piece) => addPiece(piece, paint));
  }

  function addPiece(piece: string, paint: Paint): Row[] {
    const columns = textWidth(piece);
    const full = makeRoom(columns);
    append(state.word, { text: piece, paint });
    state.wordWidth += columns;
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
      state.last = undefined;
      return state.start === undefined ? rows : [...rows, flush()];
    },
    copy(options) {
      return createRows(options, { ...state, row: [...state.row], word: [...state.word] });
    },
  };
}

/**
 * Wraps plain text to `width` columns. Every row starts with `indent` and ends with a line feed. A
 * line that fits is kept as it is, so the columns of a table stay aligned. The rows of a longer
 * line keep its own indentation.
 */
export function wrapText(
  text: string,
  { width, indent }: { readonly width: number; readonly indent: string },
): string {
  let wrapped = "";
  for (const line of text.split("\n")) wrapped += wrapLine(line, width, indent);
  return wrapped;
}

/** A row without trailing blanks. Each span is styled separately, so no style leaves its row. */
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

/** A no-break space is not a blank: no row may break there. */
function isBlank(grapheme: string): boolean {
  return grapheme === " " || grapheme === "\n" || grapheme === "\t";
}

/** A row may break beside a wide character, but not before closing or after opening punctuation. */
function mayBreakBetween(before: string, after: string): boolean {
  if (!isWide(before) && !isWide(after)) return false;
  const isClosing = /^[\p{Pe}\p{Pf}\p{Po}\u30fc]/u.test(after);
  return !isClosing && !/^[\p{Ps}\p{Pi}]/u.test(before);
}
