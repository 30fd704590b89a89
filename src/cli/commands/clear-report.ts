import type { Deleted } from "../../memory/memory.js";

/** What was deleted, or would be. */
export interface ClearReport {
  readonly user: string | null;
  readonly session: string | null;
  /** ISO 8601, UTC. Only if nothing newer was deleted. */
  readonly before?: string;
  readonly isDry: boolean;
  readonly deleted: Deleted;
  readonly words: string;
  /** What the user has typed has neither sessions nor dates, so it may have to stay. */
  readonly isInputKept: boolean;
}
