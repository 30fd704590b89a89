import type { Context } from "./command-context.js";
import { noteLine } from "./note-line.js";

/** Between two lines: on a terminal the same line again, elsewhere a new one. */
const TERMINAL_MS = 100;
const PLAIN_MS = 5_000;

const CLEAR_LINE = "\r\u001b[2K";

/** Says on stderr how far a long work is. */
export class Progress {
  readonly #context: Context;
  #last = performance.now();
  #isShown = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** `text` is only asked for when it is time. */
  show(text: () => string): void {
    const { io, options, output } = this.#context;
    const isTerminal = Boolean(io.stderr.isTTY);
    const now = performance.now();
    if (options.quiet || now - this.#last < (isTerminal ? TERMINAL_MS : PLAIN_MS)) return;
    this.#last = now;
    if (!isTerminal) return output.note(text());
    const width = (io.stderr.columns ?? 80) - 1;
    io.stderr.write(CLEAR_LINE + noteLine(text()).slice(0, width));
    this.#isShown = true;
  }

  /** Takes the line away, so that others can be written. */
  hide(): void {
    if (this.#isShown) this.#context.io.stderr.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
