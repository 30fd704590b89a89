import type { Io } from "../io.js";
import { NOTHING, type Unfinished } from "../render/live-text.js";
import { columnsOf, rowsOf } from "../render/size.js";
import { textWidth } from "../render/width.js";
import { colourAfter } from "./text.js";

/** Rows to show at the bottom of the terminal, and where in them the cursor stands. */
export interface View {
  /** Each fits into the terminal's width less one. May hold SGR colour, which runs on into the next row. */
  readonly rows: readonly string[];
  readonly cursorRow: number;
  /** What of that row is left of the cursor. */
  readonly beforeCursor: string;
}

const RESET = "\x1b[0m";
const ERASE_BELOW = "\x1b[J";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/**
 * The lowest rows of a terminal, kept live below whatever is printed. It never relies on how wide the terminal draws a
 * character: each row is ended explicitly, and the cursor gets its place by writing what is left of it once more.
 */
export class Screen {
  readonly #output: Io["stdout"];
  #view: View = { rows: [""], cursorRow: 0, beforeCursor: "" };
  #shown = false;
  /** Widths of the rows above the cursor, as drawn. */
  #above: readonly number[] = [];
  #unfinished: Unfinished = NOTHING;

  constructor(output: Io["stdout"]) {
    this.#output = output;
  }

  /** Columns a row may fill. One less than there are: a full row leaves terminals undecided where the cursor is. */
  get columns(): number {
    return Math.max(2, columnsOf(this.#output) - 1);
  }

  /** Shows `view` in place of what is shown. */
  show(view: View): void {
    const erased = this.#erase();
    this.#view = view;
    this.#output.write(erased + this.#draw());
  }

  /** Somebody else wrote to the terminal since: what is live begins in the row where the cursor is. */
  forget(): void {
    this.#above = [];
  }

  /** Takes the live rows away. */
  hide(): void {
    this.#output.write(this.#erase());
  }

  /** Writes whole rows above the live ones, for good. Between them stands what is `unfinished`, until it is told anew. */
  print(rows: string, unfinished = this.#unfinished): void {
    const wasShown = this.#shown;
    const erased = this.#erase();
    this.#unfinished = unfinished;
    this.#output.write(erased + withReturns(rows) + (wasShown ? this.#draw() : ""));
  }

  /** Leaves `rows` behind for good, above what is unfinished, and shows nothing live. */
  commit(rows: readonly string[]): void {
    const text = rows.join("\r\n");
    this.#output.write(`${this.#erase()}${text}${resetAfter(text)}\r\n`);
  }

  /** Clears the terminal but for the live rows, which go to its top. They go first: some terminals keep what is cleared. */
  clear(): void {
    this.#output.write(`${this.#erase()}${CLEAR_SCREEN}${this.#draw()}`);
  }

  #erase(): string {
    if (!this.#shown) return "";
    this.#shown = false;
    const columns = columnsOf(this.#output);
    const up = this.#above.reduce((rows, width) => rows + Math.ceil(width / columns || 1), 0);
    return `${HIDE_CURSOR}\r${moveUp(up)}${ERASE_BELOW}${SHOW_CURSOR}`;
  }

  #draw(): string {
    const { rows, cursorRow, beforeCursor } = this.#withUnfinished();
    const height = rowsOf(this.#output);
    const first = Math.max(0, Math.min(rows.length - height, cursorRow));
    const shown = rows.slice(first, first + height);
    this.#above = rows.slice(first, cursorRow).map(textWidth);
    this.#shown = true;
    const text = shown.join("\r\n");
    const before = colourAfter(rows.slice(0, cursorRow).join("")) + beforeCursor;
    return [
      HIDE_CURSOR,
      colourAfter(rows.slice(0, first).join("")),
      text,
      resetAfter(text),
      moveUp(first + shown.length - 1 - cursorRow),
      "\r",
      before,
      resetAfter(before),
      SHOW_CURSOR,
    ].join("");
  }

  #withUnfinished(): View {
    // No more than half the terminal, so that it is still all there to be taken away when the terminal gets narrower.
    const most = Math.max(1, Math.floor(rowsOf(this.#output) / 2));
    const unfinished = this.#unfinished().split("\n").slice(0, -1).slice(-most);
    const { rows, cursorRow, beforeCursor } = this.#view;
    return {
      rows: [...unfinished, ...rows],
      cursorRow: unfinished.length + cursorRow,
      beforeCursor,
    };
  }
}

/** Nothing where there is no colour: then not even its end may be sent. */
function resetAfter(text: string): string {
  return colourAfter(text) === "" ? "" : RESET;
}

function moveUp(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

/** A terminal in raw mode may take a line feed alone for "one down". */
function withReturns(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}
