import type { Palette } from "../colour.js";
import { plain, type Row, type Span, widthOf } from "../wrap.js";
import type { Container } from "./lines.js";

/** The open quotes and list items, and their marks at the start of every row. */
export interface Frame {
  readonly containers: readonly Container[];
  /** Closes all but the first `matched`, then opens others. Returns an empty list item's row. */
  change(matched: number, opened: readonly Container[]): Row[];
  /**
   * The start of the next row; each list marker appears once. At most half of `columns` wide: at
   * greater depth, it drops the indentation first, then the outermost marks.
   */
  prefix(columns: number): Row;
  /** An empty row with the marks of the containers shown so far. */
  blankRow(): Row;
  /** An independent frame with the same containers. */
  copy(): Frame;
}

export interface FrameOptions {
  readonly indent: string;
  readonly palette: Palette;
  readonly width: () => number;
}

interface Level {
  readonly container: Container;
  readonly first: Span;
  readonly rest: Span;
  shown: boolean;
}

export function createFrame(options: FrameOptions, from: readonly Level[] = []): Frame {
  const { indent, palette, width } = options;
  const margin: Span = { text: indent, paint: palette.dim };
  let levels = from;

  function row(columns: number, marks: readonly Span[]): Row {
    const fitting = [...marks];
    let spare = columns / 2 - widthOf([margin, ...fitting]);
    while (spare < 0 && fitting.length > 0) {
      const blank = fitting.findIndex(({ text }) => text.trim() === "");
      spare += widthOf(fitting.splice(Math.max(0, blank), 1));
    }
    return [margin, ...fitting];
  }

  function prefix(columns: number): Row {
    const marks = levels.map(({ shown, first, rest }) => (shown ? rest : first));
    for (const level of levels) level.shown = true;
    return row(columns, marks);
  }

  return {
    get containers() {
      return levels.map(({ container }) => container);
    },
    change(matched, opened) {
      const closesUnshown = levels.slice(matched).some(isUnshownItem);
      const rows = closesUnshown ? [prefix(width())] : [];
      levels = [...levels.slice(0, matched), ...opened.map((each) => levelOf(each, palette))];
      return rows;
    },
    prefix,
    blankRow() {
      const shown = levels.filter((level) => level.shown);
      const marks = shown.map(({ rest }) => rest);
      return row(width(), marks);
    },
    copy: () =>
      createFrame(
        options,
        levels.map((level) => ({ ...level })),
      ),
  };
}

function levelOf(container: Container, palette: Palette): Level {
  if (container.kind === "quote") {
    const bar = { text: "┃ ", paint: palette.dim };
    return { container, first: bar, rest: bar, shown: false };
  }
  const mark = /^\d/.test(container.marker) ? container.marker : "•";
  const first = { text: `${mark} `, paint: palette.dim };
  return {
    container,
    first,
    rest: { text: " ".repeat(mark.length + 1), paint: plain },
    shown: false,
  };
}

function isUnshownItem({ container, shown }: Level): boolean {
  return container.kind === "item" && !shown;
}
