import type { TextRenderer } from "./reply.js";
import type { TextView } from "./run-view.js";

/** Rows that may still change, each ended by a line feed and laid out for the terminal as it is now. */
export type Unfinished = () => string;

export const NOTHING: Unfinished = () => "";

export interface LiveRenderer extends TextRenderer {
  /** The rows that are not certain yet, as they would be if the text ended here. */
  unfinished(): string;
}

export interface LiveTextOptions {
  readonly renderer: LiveRenderer;
  /** Adds rows that are certain, and below them shows `unfinished` in place of what was unfinished before. */
  readonly show: (certain: string, unfinished: Unfinished) => void;
}

/** Milliseconds between two paints: soon enough to look like typing, seldom enough for a slow terminal. */
const SHORTEST_PAUSE_MS = 40;

/** How many times as long as a paint took the next one waits at least, so that painting never takes all the time. */
const PAUSE_FACTOR = 4;

/** Shows a text on a terminal while it comes, the line it is in included. */
export function liveText({ renderer, show }: LiveTextOptions): TextView {
  let certain = "";
  let mayPaintAt = 0;
  let timer: NodeJS.Timeout | undefined;
  /** Why the last paint failed: thrown to the next caller, since nobody waits for a timer. */
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
    const rows = certain;
    certain = "";
    // What becomes certain meanwhile is shown as well, however often the terminal is drawn before the next paint.
    show(rows, () => certain + renderer.unfinished());
    const ended = performance.now();
    mayPaintAt = ended + Math.max(SHORTEST_PAUSE_MS, PAUSE_FACTOR * (ended - begun));
  }

  return {
    add(delta) {
      throwFailure();
      certain += renderer.write(delta);
      // Node 24 warns of a negative wait, in the middle of the screen.
      timer ??= setTimeout(paintLater, Math.max(0, mayPaintAt - performance.now()));
    },
    end() {
      clearTimeout(timer);
      throwFailure();
      show(certain + renderer.end(), NOTHING);
    },
  };
}
