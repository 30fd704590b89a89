import type { SessionId, UserId } from "../ids.js";
import type { At, InSession } from "./store.js";

/** How long a delete is remembered: one day, in milliseconds. */
export const CLEARS_KEPT_MS = 86_400_000;

/**
 * What a delete removed: a user, or one session of a user. A hash, so that the record does not name
 * a deleted user.
 */
export const scopeOf = (userId: UserId, sessionId?: SessionId): string =>
  process
    .getBuiltinModule("node:crypto") // here, because loading it takes as long as the whole library
    .createHash("sha256")
    .update(JSON.stringify(sessionId === undefined ? [userId] : [userId, sessionId]))
    .digest("base64url");

/** The session that a commit continues, and the generation its caller has read. */
export interface ClearCheck {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  /** The generation in which the session was created; `undefined` if it does not exist. */
  readonly created: number | undefined;
  /** The generation that was read; `undefined` if none was. */
  readonly generation: number | undefined;
}

/** What a store remembers of its deletes. */
export interface ClearRecord {
  /** The store's generation, and that of the latest delete that is no longer remembered. */
  generations(): { readonly generation: number; readonly forgotten: number };
  /** The generation of the latest delete of a scope; `undefined` if none is remembered. */
  latest(scope: string): number | undefined;
}

/** Whether the user or the session was deleted after the generation that was read. See `Commit`. */
export function wasCleared(
  record: ClearRecord,
  { userId, sessionId, created, generation: read }: ClearCheck,
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

/**
 * The clear record of a store that keeps it in this process or saves it as JSON.
 * @example
 * const [userId, sessionId] = [validateUserId("alice"), validateSessionId("work")];
 * const log = new ClearLog();
 * const { generation } = log;
 * log.record(userId, { sessionId, time: Date.now() });
 * const commit = { userId, sessionId, created: undefined, generation };
 * console.log(log.wasCleared(commit)); // true
 * console.log(log.wasCleared({ ...commit, sessionId: validateSessionId("home") })); // false
 */
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

  wasCleared(check: ClearCheck): boolean {
    return wasCleared(this, check);
  }

  /** Records the delete of a user, or of one of their sessions. */
  record(userId: UserId, { sessionId, time }: InSession & At): void {
    this.#generation += 1;
    this.#clears.set(scopeOf(userId, sessionId), { generation: this.#generation, time });
    // Scans all deletes, so not every time. A clock that is set back must not stop it.
    if (Math.abs(time - this.#lastCleaned) < CLEARS_KEPT_MS / 8) return;
    this.#lastCleaned = time;
    this.#forgetBefore(time - CLEARS_KEPT_MS);
  }

  /** Records the delete of everything. */
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
