import type { Io } from "../io.js";
import { TerminalScreen } from "../terminal/terminal-screen.js";
import { NOTHING, type Unfinished } from "./live-text.js";

/** The end of a terminal's output while a reply comes: the rows that may still change, and below them a spinner. */
export class LiveOutput {
  readonly #screen: TerminalScreen;

  constructor(stdout: Io["stdout"]) {
    this.#screen = new TerminalScreen(stdout);
  }

  readonly print = (certain: string, unfinished: Unfinished): void => {
    this.#screen.print(certain, unfinished);
  };

  readonly spin = (frame = ""): void => {
    this.#screen.show({ rows: [frame], cursorRow: 0, beforeCursor: "" });
  };

  /** Has `write` write to the terminal by other ways. */
  readonly aside = (write: () => void): void => {
    this.#screen.hide();
    write();
  };

  /** Leaves only what is certain. */
  readonly end = (): void => {
    this.#screen.print("", NOTHING);
    this.#screen.hide();
  };
}
