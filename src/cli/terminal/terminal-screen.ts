import type { TerminalStream } from "../io.js";
import { NOTHING, type Unfinished } from "../render/live-text.js";
import { columnsOf, rowsOf } from "../render/size-text.js";
import { textWidth } from "../render/width.js";
import { colourAfter, wrapRows } from "./text.js";

interface Output extends TerminalStream {
  write(text: string): unknown;
}

/** Rows to show at the bottom of the terminal, and where in them the cursor stands. */
export interface View {
  /** Each fits into the terminal's width less one. May hold SGR colour, which runs on into the next row. */
  readonly rows: readonly string[];
  readonly cursorRow: number;
  /** What of that row is left of the cursor. */
  readonly beforeCursor: string;
}

/** Asks the terminal where the cursor is. */
const ASK_POSITION = "\x1b[6n";

/** Milliseconds to wait for the answer; some terminals have none. */
const PATIENCE = 150;

/** As narrow as a terminal may get, in columns, without live rows being pushed where nothing can take them away. */
const NARROW = 40;

const RESET = "\x1b[0m";
/** The row of the cursor and all below it, in two steps: what is erased from the top left at once, tmux keeps as history. */
const ERASE_FROM_HERE = "\r\x1b[C\x1b[J\x1b[1K\r";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/**
 * The lowest rows of a terminal, kept live below whatever is printed. It never relies on how wide the terminal draws a
 * character: each row is ended explicitly, and the cursor gets its place by writing what is left of it once more.
 */
export class Screen {
  readonly #output: Output;
  #view: View = { rows: [""], cursorRow: 0, beforeCursor: "" };
  #shown = false;
  /** The rows above the cursor, as drawn, and what is left of it in its own. */
  #above: readonly string[] = [];
  #before = "";
  #unfinished: Unfinished = NOTHING;
  /** Whether the terminal is known to have wrapped the row of the cursor, as it does every other, when it got narrower. */
  #wrapsCursorRow = false;
  /** What waits until it is known where the cursor is. */
  #held: (() => void)[] | undefined;
  #unanswered = 0;
  #patience: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Columns a row may fill. One less than there are: a full row leaves terminals undecided where the cursor is. */
  get columns(): number {
    return Math.max(2, columnsOf(this.#output) - 1);
  }

  /** Shows `view` in place of what is shown. */
  show(view: View): void {
    this.#do(() => {
      const erased = this.#erase();
      this.#view = view;
      this.#output.write(erased + this.#draw());
    });
  }

  /**
   * The terminal has another size. Terminals wrap anew what no longer fits, but not all of them the row of the cursor; where
   * that matters the terminal is asked, and nothing is drawn until `located` is told the answer.
   */
  resized(view: View): void {
    if (this.#held !== undefined || (this.#shown && this.#cursorPlace.row > 0)) {
      this.#held ??= [];
      this.#unanswered++;
      this.#output.write(ASK_POSITION);
      clearTimeout(this.#patience);
      this.#patience = setTimeout(() => this.#release(), PATIENCE);
    }
    this.show(view);
  }

  /** The terminal says in which column the cursor is, counted from 1. */
  located(column: number): void {
    if (this.#held === undefined || --this.#unanswered > 0) return;
    const place = this.#cursorPlace;
    this.#wrapsCursorRow = place.row > 0 && place.column === column - 1;
    this.#release();
  }

  /** Somebody else wrote to the terminal since: what is live begins in the row where the cursor is. */
  forget(): void {
    this.#release();
    this.#above = [];
    this.#before = "";
  }

  /** Takes the live rows away. */
  hide(): void {
    this.#release();
    this.#output.write(this.#erase());
  }

  /** Writes whole rows above the live ones, for good. Between them stands what is `unfinished`, until it is told anew. */
  print(rows: string, unfinished?: Unfinished): void {
    this.#do(() => {
      const wasShown = this.#shown;
      const erased = this.#erase();
      this.#unfinished = unfinished ?? this.#unfinished;
      this.#output.write(erased + withReturns(rows) + (wasShown ? this.#draw() : ""));
    });
  }

  /** Leaves `rows` behind for good, above what is unfinished, and shows nothing live. */
  commit(rows: readonly string[]): void {
    this.#do(() => {
      const text = rows.join("\r\n");
      this.#output.write(`${this.#erase()}${text}${resetAfter(text)}\r\n`);
    });
  }

  /** Clears the terminal but for the live rows, which go to its top. They go first: some terminals keep what is cleared. */
  clear(): void {
    this.#do(() => this.#output.write(`${this.#erase()}${CLEAR_SCREEN}${this.#draw()}`));
  }

  #do(action: () => void): void {
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }

  #release(): void {
    clearTimeout(this.#patience);
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#unanswered = 0;
    for (const action of held) action();
  }

  /** Where the cursor is, from the beginning of its row, if the terminal has wrapped that. */
  get #cursorPlace(): { row: number; column: number } {
    const columns = columnsOf(this.#output);
    const rows = wrapRows(this.#before, columns);
    const column = textWidth(rows.at(-1) ?? "");
    return column < columns ? { row: rows.length - 1, column } : { row: rows.length, column: 0 };
  }

  #erase(): string {
    if (!this.#shown) return "";
    this.#shown = false;
    const columns = columnsOf(this.#output);
    const above = this.#above.reduce((rows, row) => rows + wrapRows(row, columns).length, 0);
    const up = above + (this.#wrapsCursorRow ? this.#cursorPlace.row : 0);
    this.#wrapsCursorRow = false;
    return `${HIDE_CURSOR}${moveUp(up)}${ERASE_FROM_HERE}${SHOW_CURSOR}`;
  }

  #draw(): string {
    const { rows, cursorRow, beforeCursor } = this.#withUnfinished();
    const { first, end } = this.#part(rows, cursorRow);
    const shown = rows.slice(first, end);
    this.#above = rows.slice(first, cursorRow);
    this.#before = beforeCursor;
    this.#shown = true;
    const text = shown.join("\r\n");
    const draw = [HIDE_CURSOR, colourAfter(rows.slice(0, first).join("")), text, resetAfter(text)];
    // At the end of the text it is there already, also on a terminal that has just become too narrow for its row.
    const isAtEnd = cursorRow === end - 1 && beforeCursor === rows[cursorRow];
    if (!isAtEnd) {
      const before = colourAfter(rows.slice(0, cursorRow).join("")) + beforeCursor;
      draw.push(moveUp(end - 1 - cursorRow), "\r", before, resetAfter(before));
    }
    return [...draw, SHOW_CURSOR].join("");
  }

  /** What of the rows is shown, the one of the cursor included: it all stays on a terminal that gets narrower. */
  #part(rows: readonly string[], cursorRow: number): { first: number; end: number } {
    const height = rowsOf(this.#output);
    const narrow = Math.max(2, Math.min(NARROW, Math.floor(columnsOf(this.#output) / 2)));
    const heightOf = (row = ""): number => wrapRows(row, narrow).length;
    let first = rows.length;
    let spare = height - heightOf(rows[first - 1]);
    for (first--; first > 0 && spare >= heightOf(rows[first - 1]); first--)
      spare -= heightOf(rows[first - 1]);
    if (first <= cursorRow) return { first, end: rows.length };
    let end = cursorRow + 1;
    for (spare = height - heightOf(rows[cursorRow]); spare >= heightOf(rows[end]); end++)
      spare -= heightOf(rows[end]);
    return { first: cursorRow, end };
  }

  #withUnfinished(): View {
    // So few that they are all still there to be taken away when the terminal gets narrower.
    const most = Math.max(1, Math.floor(rowsOf(this.#output) / 3));
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
