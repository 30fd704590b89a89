import type { Io } from "../io.js";
import { TerminalScreen } from "../terminal/terminal-screen.js";
import { NOTHING, type Unfinished } from "./live-text.js";

/** The live rows while a reply arrives: its unfinished rows, and below them a spinner. */
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

  /** Hides the live rows while `write` writes to the terminal directly. */
  readonly aside = (write: () => void): void => {
    this.#screen.hide();
    write();
  };

  /** Removes the live rows. */
  readonly end = (): void => {
    this.#screen.print("", NOTHING);
    this.#screen.hide();
  };
}
