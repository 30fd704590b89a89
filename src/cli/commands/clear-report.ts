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
}
