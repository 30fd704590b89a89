import type { RunEvent } from "../../agent/events.js";

/** Shows an answer as it arrives. */
export interface AnswerView {
  show(event: RunEvent): void;
  /** Finishes an unfinished line. */
  end(): void;
}
