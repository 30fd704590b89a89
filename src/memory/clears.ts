import { createHash } from "node:crypto";
import { AgnoChatError } from "../errors.js";

/** How long a delete is remembered, in milliseconds. */
export const CLEARS_KEPT_MS = 86_400_000;

/** What a delete was about, a user or one session of a user: a hash, so that nobody who was deleted is still named. */
export const scopeOf = (userId: string, sessionId?: string): string =>
  createHash("sha256")
    .update(JSON.stringify(sessionId === undefined ? [userId] : [userId, sessionId]))
    .digest("base64url");

/** What is thrown when the history that a run continues is gone. */
export const historyCleared = (userId: string): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `The history of user ${JSON.stringify(userId)} was cleared during this run, so nothing of it was stored.`,
    { hint: "Send the message again to begin anew." },
  );

/** What a commit continues. */
export interface Continued {
  readonly userId: string;
  readonly sessionId: string;
  /** The generation in which the session was created, when it exists. */
  readonly created: number | undefined;
  /** The generation that was read, when one was. */
  readonly generation: number | undefined;
}

/** What a store remembers of its deletes. */
export interface ClearRecord {
  /** The store's generation, and the latest one of a delete that was forgotten. */
  generations(): { readonly generation: number; readonly forgotten: number };
  /** The generation of the latest delete of a scope, when it is remembered. */
  latest(scope: string): number | undefined;
}

/** Whether the user or the session was deleted after the generation that was read; see `Commit.generation`. */
export function wasCleared(
  record: ClearRecord,
  { userId, sessionId, created, generation: read }: Continued,
): boolean {
  if (read === undefined || (created !== undefined && created <= read)) return false;
  const { generation, forgotten } = record.generations();
  if (read < forgotten || read > generation) return true;
  return [scopeOf(userId), scopeOf(userId, sessionId)].some(
    (scope) => (record.latest(scope) ?? 0) > read,
  );
}

interface Clear {
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** The deletes of a store that keeps them in this process. */
export class ClearLog implements ClearRecord {
  #generation = 0;
  #forgotten = 0;
  #clears = new Map<string, Clear>();
  #lastCleaned = 0;

  get generation(): number {
    return this.#generation;
  }

  generations(): { generation: number; forgotten: number } {
    return { generation: this.#generation, forgotten: this.#forgotten };
  }

  latest(scope: string): number | undefined {
    return this.#clears.get(scope)?.generation;
  }

  record(scope: string, time: number): void {
    this.#generation += 1;
    this.#clears.set(scope, { generation: this.#generation, time });
    // Looks at all of them, so not each time. A clock that was set back must not stop it.
    if (Math.abs(time - this.#lastCleaned) < CLEARS_KEPT_MS / 8) return;
    this.#lastCleaned = time;
    this.#forgetBefore(time - CLEARS_KEPT_MS);
  }

  recordAll(): void {
    this.#generation += 1;
    this.#forgotten = this.#generation;
    this.#clears = new Map();
  }

  #forgetBefore(oldest: number): void {
    for (const [scope, { generation, time }] of this.#clears) {
      if (time >= oldest) continue;
      this.#clears.delete(scope);
      this.#forgotten = Math.max(this.#forgotten, generation);
    }
  }
}
