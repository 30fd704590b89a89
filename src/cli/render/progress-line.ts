import { singleLine } from "../../sanitise.js";
import type { Io } from "../io.js";
import { columnsOf } from "./terminal-size.js";

/** One line that says how far the work is, and is overwritten by the next. */
export interface ProgressLine {
  show(text: string): void;
  /** Removes the line. */
  end(): void;
}

const CLEARED = "\r\u001b[K";

/**
 * A progress line on a terminal; nothing anywhere else.
 * @param paint Colours the text.
 */
export function progressLine(
  { stderr, env }: Pick<Io, "stderr" | "env">,
  paint: (text: string) => string,
): ProgressLine {
  if (!stderr.isTTY || env.TERM === "dumb") return { show() {}, end() {} };
  let isShown = false;
  return {
    show(text) {
      isShown = true;
      const room = columnsOf(stderr) - 1;
      stderr.write(`${CLEARED}${paint(singleLine(text, room))}`);
    },
    end() {
      if (isShown) stderr.write(CLEARED);
      isShown = false;
    },
  };
}
