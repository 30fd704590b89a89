import type { Context } from "./command-context.js";
import { type ProgressLine, progressLine } from "./render/progress-line.js";

/** Work that is done by then needs no line. */
const FIRST_MS = 1_000;

/** Between two texts. */
const NEXT_MS = 100;

/** Says on a terminal how far a long work is. */
export class Progress {
  readonly #isQuiet: boolean;
  readonly #line: ProgressLine;
  #next = performance.now() + FIRST_MS;

  constructor({ io, options }: Pick<Context, "io" | "options">) {
    this.#isQuiet = options.quiet;
    this.#line = progressLine(io, (text) => text);
  }

  /** `text` is only asked for when it is time. */
  show(text: () => string): void {
    const now = performance.now();
    if (this.#isQuiet || now < this.#next) return;
    this.#next = now + NEXT_MS;
    this.#line.show(text());
  }

  /** The same pieces, with a line that says how far they are. */
  async *along<Piece>(
    pieces: AsyncIterable<Piece>,
    text: () => string,
  ): AsyncGenerator<Piece, void, undefined> {
    try {
      for await (const piece of pieces) {
        yield piece;
        this.show(text);
      }
    } finally {
      this.hide();
    }
  }

  /** Takes the line away, so that others can be written. */
  hide(): void {
    this.#line.end();
  }
}
