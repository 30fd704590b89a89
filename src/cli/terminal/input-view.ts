import type { View } from "./terminal-screen.js";
import { wrapRows } from "./text.js";

export interface InputViewOptions {
  /** May contain SGR colours. */
  readonly prompt: string;
  readonly text: string;
  readonly beforeCursor: string;
  readonly columns: number;
}

const CONTINUATION = "… ";

/** Lays out the text being typed, after a prompt; a mark begins every further line. */
export function inputView({ prompt, text, beforeCursor, columns }: InputViewOptions): View {
  const cursorLine = beforeCursor.split("\n").length - 1;
  const rows: string[] = [];
  let view: View = { rows, cursorRow: 0, beforeCursor: "" };
  for (const [index, line] of text.split("\n").entries()) {
    const mark = index === 0 ? prompt : CONTINUATION;
    const lineRows = wrapRows(mark + line, columns);
    if (index === cursorLine) {
      const before = mark + beforeCursor.slice(beforeCursor.lastIndexOf("\n") + 1);
      view = { rows, ...cursorIn(lineRows, before, rows.length) };
    }
    rows.push(...lineRows);
  }
  return view;
}

/** The row in which `before` ends, counted from `firstRow`, and its part in that row. */
function cursorIn(
  lineRows: readonly string[],
  before: string,
  firstRow: number,
): Omit<View, "rows"> {
  let index = 0;
  let rest = before;
  for (const row of lineRows.slice(0, -1)) {
    if (rest.length < row.length) break;
    rest = rest.slice(row.length);
    index++;
  }
  return { cursorRow: firstRow + index, beforeCursor: rest };
}
