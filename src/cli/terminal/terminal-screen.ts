import type { TerminalStream } from "../io.js";
import { NOTHING, type Unfinished } from "../render/live-text.js";
import { columnsOf, rowsOf } from "../render/terminal-size.js";
import { textWidth } from "../render/width.js";
import { colourAfter, wrapRows } from "./text.js";

interface Output extends TerminalStream {
  write(text: string): unknown;
}

/** Rows to show at the bottom of the terminal, and the cursor's position in them. */
export interface View {
  /** At most the terminal's width minus one. May contain SGR colours, which carry over rows. */
  readonly rows: readonly string[];
  readonly cursorRow: number;
  /** The part of that row before the cursor. */
  readonly beforeCursor: string;
}

/** Asks the terminal for the cursor's position. */
const ASK_POSITION = "\x1b[6n";

/** How long to wait for the reply; some terminals never send one. */
const POSITION_TIMEOUT_MS = 150;

/** Columns. In a narrower terminal, live rows may scroll out of reach and stay there. */
const NARROWEST = 40;

const RESET = "\x1b[0m";
/**
 * Erases the cursor's row and all below it, in two steps: tmux saves to its history what is erased
 * from the top left corner in one.
 */
const ERASE_FROM_HERE = "\r\x1b[C\x1b[J\x1b[1K\r";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/**
 * Keeps live rows at the bottom of a terminal, below everything printed. It does not depend on how
 * wide the terminal draws a character: it ends each row explicitly, and moves the cursor by
 * writing the text before it again.
 */
export class TerminalScreen {
  readonly #output: Output;
  #view: View = { rows: [""], cursorRow: 0, beforeCursor: "" };
  #shown = false;
  /** The drawn rows above the cursor, and the part of its own row before it. */
  #above: readonly string[] = [];
  #before = "";
  #unfinished: Unfinished = NOTHING;
  /** Whether the terminal, when it became narrower, wrapped the cursor's row as it does others. */
  #wrapsCursorRow = false;
  /** Drawing actions that wait for the cursor's position; undefined while none is asked for. */
  #held: (() => void)[] | undefined;
  #unanswered = 0;
  #positionTimer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Columns a row may fill: one less than the width, as terminals differ after a full row. */
  get columns(): number {
    return Math.max(2, columnsOf(this.#output) - 1);
  }

  /** Replaces the live rows. */
  show(view: View): void {
    this.#do(() => {
      const erased = this.#erase();
      this.#view = view;
      this.#output.write(erased + this.#draw());
    });
  }

  /**
   * Call it when the terminal's size has changed. Terminals wrap rows that no longer fit, but some
   * do not wrap the cursor's row. Where that matters, this asks for the cursor's position and draws
   * nothing until `cursorReported` is called or a time limit passes.
   */
  resized(view: View): void {
    if (this.#held !== undefined || (this.#shown && this.#wrappedCursor.row > 0)) {
      this.#held ??= [];
      this.#unanswered++;
      this.#output.write(ASK_POSITION);
      clearTimeout(this.#positionTimer);
      this.#positionTimer = setTimeout(() => this.#release(), POSITION_TIMEOUT_MS);
    }
    this.show(view);
  }

  /** The terminal's reply: the cursor's column, counted from 1. */
  cursorReported(column: number): void {
    if (this.#held === undefined || --this.#unanswered > 0) return;
    const wrapped = this.#wrappedCursor;
    this.#wrapsCursorRow = wrapped.row > 0 && wrapped.column === column - 1;
    this.#release();
  }

  /** Call it after other output: the live rows then begin in the cursor's row. */
  forget(): void {
    this.#release();
    this.#above = [];
    this.#before = "";
  }

  /** Removes the live rows. */
  hide(): void {
    this.#release();
    this.#output.write(this.#erase());
  }

  /**
   * Writes whole, permanent rows above the live ones. The rows of `unfinished` are shown between
   * them until the next call replaces it.
   */
  print(rows: string, unfinished?: Unfinished): void {
    this.#do(() => {
      const wasShown = this.#shown;
      const erased = this.#erase();
      this.#unfinished = unfinished ?? this.#unfinished;
      this.#output.write(erased + withReturns(rows) + (wasShown ? this.#draw() : ""));
    });
  }

  /** Writes permanent `rows` above the unfinished ones, and removes the live rows. */
  commit(rows: readonly string[]): void {
    this.#do(() => {
      const text = rows.join("\r\n");
      this.#output.write(`${this.#erase()}${text}${resetAfter(text)}\r\n`);
    });
  }

  /**
   * Clears the terminal and shows the live rows at its top. They are erased first, because some
   * terminals save what they clear.
   */
  clear(): void {
    this.#do(() => this.#output.write(`${this.#erase()}${CLEAR_SCREEN}${this.#draw()}`));
  }

  #do(action: () => void): void {
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }

  #release(): void {
    clearTimeout(this.#positionTimer);
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#unanswered = 0;
    for (const action of held) action();
  }

  /** The cursor's position, counted from the start of its row, if the terminal wrapped that row. */
  get #wrappedCursor(): { row: number; column: number } {
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
    const up = above + (this.#wrapsCursorRow ? this.#wrappedCursor.row : 0);
    this.#wrapsCursorRow = false;
    return `${HIDE_CURSOR}${moveUp(up)}${ERASE_FROM_HERE}${SHOW_CURSOR}`;
  }

  #draw(): string {
    const { rows, cursorRow, beforeCursor } = this.#withUnfinished();
    const { first, end } = this.#visiblePart(rows, cursorRow);
    const shown = rows.slice(first, end);
    this.#above = rows.slice(first, cursorRow);
    this.#before = beforeCursor;
    this.#shown = true;
    const text = shown.join("\r\n");
    const draw = [HIDE_CURSOR, colourAfter(rows.slice(0, first).join("")), text, resetAfter(text)];
    // At the end of the text, the cursor is already there, however narrow the terminal has become.
    const isAtEnd = cursorRow === end - 1 && beforeCursor === rows[cursorRow];
    if (!isAtEnd) {
      const before = colourAfter(rows.slice(0, cursorRow).join("")) + beforeCursor;
      draw.push(moveUp(end - 1 - cursorRow), "\r", before, resetAfter(before));
    }
    return [...draw, SHOW_CURSOR].join("");
  }

  /** The range of rows to show, with the cursor's row: few enough for a narrower terminal too. */
  #visiblePart(rows: readonly string[], cursorRow: number): { first: number; end: number } {
    const height = rowsOf(this.#output);
    const narrow = Math.max(2, Math.min(NARROWEST, Math.floor(columnsOf(this.#output) / 2)));
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
    // Few enough to be still on the screen, and so erasable, when the terminal becomes narrower.
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

/** Empty for text without colour: no sequence may be sent then. */
function resetAfter(text: string): string {
  return colourAfter(text) === "" ? "" : RESET;
}

function moveUp(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

/** In raw mode, a line feed alone may move the cursor straight down. */
function withReturns(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}
