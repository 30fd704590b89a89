import { createHash } from "node:crypto";
import type { At, InSession } from "./store.js";

/** How long a delete is remembered, in milliseconds. */
export const CLEARS_KEPT_MS = 86_400_000;

/** What a delete was about, a user or one session of a user: a hash, so that nobody who was deleted is still named. */
export const scopeOf = (userId: string, sessionId?: string): string =>
  createHash("sha256")
    .update(JSON.stringify(sessionId === undefined ? [userId] : [userId, sessionId]))
    .digest("base64url");

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
  if (read === generation) return false;
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

/** A `ClearLog` as JSON. */
export interface SavedClears {
  readonly generation: number;
  readonly forgotten: number;
  readonly clears: readonly (readonly [scope: string, clear: Clear])[];
}

/** The deletes of a store that keeps them in this process, or in one JSON text. */
export class ClearLog implements ClearRecord {
  #generation: number;
  #forgotten: number;
  #clears: Map<string, Clear>;
  #lastCleaned = 0;

  constructor(saved: SavedClears = { generation: 0, forgotten: 0, clears: [] }) {
    this.#generation = saved.generation;
    this.#forgotten = saved.forgotten;
    this.#clears = new Map(saved.clears);
  }

  get generation(): number {
    return this.#generation;
  }

  generations(): { generation: number; forgotten: number } {
    return { generation: this.#generation, forgotten: this.#forgotten };
  }

  latest(scope: string): number | undefined {
    return this.#clears.get(scope)?.generation;
  }

  wasCleared(continued: Continued): boolean {
    return wasCleared(this, continued);
  }

  /** Remembers that something of a user, or of one session of theirs, was deleted. */
  record(userId: string, { sessionId, time }: InSession & At): void {
    this.#generation += 1;
    this.#clears.set(scopeOf(userId, sessionId), { generation: this.#generation, time });
    // Looks at all of them, so not each time. A clock that was set back must not stop it.
    if (Math.abs(time - this.#lastCleaned) < CLEARS_KEPT_MS / 8) return;
    this.#lastCleaned = time;
    this.#forgetBefore(time - CLEARS_KEPT_MS);
  }

  /** Remembers that everything was deleted. */
  recordAll(): void {
    this.#generation += 1;
    this.#forgotten = this.#generation;
    this.#clears = new Map();
  }

  toJSON(): SavedClears {
    const { generation, forgotten } = this.generations();
    return { generation, forgotten, clears: [...this.#clears] };
  }

  #forgetBefore(oldest: number): void {
    for (const [scope, { generation, time }] of this.#clears) {
      if (time >= oldest) continue;
      this.#clears.delete(scope);
      this.#forgotten = Math.max(this.#forgotten, generation);
    }
  }
}
