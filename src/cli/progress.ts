import type { Context } from "./command-context.js";
import { type ProgressLine, progressLine } from "./render/progress-line.js";

/** Between two texts: on a terminal the same line again, elsewhere a new one. */
const TERMINAL_MS = 100;
const PLAIN_MS = 5_000;

/** Says on stderr how far a long work is, now and then. */
export class Progress {
  readonly #context: Context;
  readonly #line: ProgressLine;
  #last = performance.now();

  constructor(context: Context) {
    this.#context = context;
    this.#line = progressLine(context.io, (text) => text);
  }

  /** `text` is only asked for when it is time. */
  show(text: () => string): void {
    const { io, options, output } = this.#context;
    const now = performance.now();
    if (options.quiet || now - this.#last < (io.stderr.isTTY ? TERMINAL_MS : PLAIN_MS)) return;
    this.#last = now;
    if (io.stderr.isTTY) this.#line.show(text());
    else output.note(text());
  }

  /** Takes the line away, so that others can be written. */
  hide(): void {
    this.#line.end();
  }
}
