import type { RunEvent } from "../../agent/events.js";

/** Shows an answer while it comes. */
export interface AnswerView {
  show(event: RunEvent): void;
  /** Ends the row that was begun. */
  end(): void;
}
