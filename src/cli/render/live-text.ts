import type { TextRenderer } from "./reply.js";
import type { TextView } from "./run-view.js";

/** Returns rows that may still change, laid out for the current terminal, each with a line feed. */
export type Unfinished = () => string;

export const NOTHING: Unfinished = () => "";

export interface LiveRenderer extends TextRenderer {
  /** The rows that may still change, as they would be if the text ended here. */
  unfinished(): string;
}

export interface LiveTextOptions {
  readonly renderer: LiveRenderer;
  /** Prints `final` rows, and below them shows `unfinished` in place of the earlier one. */
  readonly show: (final: string, unfinished: Unfinished) => void;
}

/** The least time between two paints: short enough to look like typing, long enough to be cheap. */
const SHORTEST_PAUSE_MS = 40;

/** The pause after a paint is at least this many times its duration. */
const PAUSE_FACTOR = 4;

/** Shows a text on a terminal as it arrives, including its unfinished line. */
export function liveText({ renderer, show }: LiveTextOptions): TextView {
  let final = "";
  let mayPaintAt = 0;
  let timer: NodeJS.Timeout | undefined;
  /** The error of the last timed paint, thrown to the next caller: nothing awaits a timer. */
  let failure: unknown;

  function paintLater(): void {
    timer = undefined;
    try {
      paint();
    } catch (thrown) {
      failure = thrown;
    }
  }

  function throwFailure(): void {
    if (failure !== undefined) throw failure;
  }

  function paint(): void {
    const begun = performance.now();
    const rows = final;
    final = "";
    // Rows that become final before the next paint are shown too, since a resize may redraw.
    show(rows, () => final + renderer.unfinished());
    const ended = performance.now();
    mayPaintAt = ended + Math.max(SHORTEST_PAUSE_MS, PAUSE_FACTOR * (ended - begun));
  }

  return {
    add(delta) {
      throwFailure();
      final += renderer.write(delta);
      // Not negative: Node 24 would print a warning in the middle of the screen.
      timer ??= setTimeout(paintLater, Math.max(0, mayPaintAt - performance.now()));
    },
    end() {
      clearTimeout(timer);
      throwFailure();
      show(final + renderer.end(), NOTHING);
    },
  };
}
