import { AgnoChatError } from "../errors.js";

/** How long a clear is remembered one by one, in milliseconds; and how many of them at most. */
export const CLEARS_KEPT_MS = 3_600_000;
export const CLEARS_KEPT = 10_000;

/** What a clear was about: a user, or one session of a user. */
export const scopeOf = (userId: string, sessionId?: string): string =>
  JSON.stringify(sessionId === undefined ? [userId] : [userId, sessionId]);

/** What `add` throws when the history it continues is gone. */
export const historyCleared = (userId: string): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `The history of user ${JSON.stringify(userId)} was cleared during this run, so nothing of it was stored.`,
    { hint: "Send the message again to begin anew." },
  );

/** What an `add` to a session continues. */
export interface Continued {
  readonly userId: string;
  readonly sessionId: string;
  /** The generation in which the session began, when it is there. */
  readonly born: number | undefined;
  /** The generation that was read, when one was. */
  readonly generation: number | undefined;
}

interface Clear {
  readonly generation: number;
  readonly scope: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * The clears of one memory. Each raises one memory-wide number, the generation: whoever read an earlier one can be told
 * whether their user or session was cleared since, also when nothing was stored for it either time. Old clears
 * are forgotten; a generation older than what was forgotten counts as cleared.
 */
export class ClearLog {
  #generation = 0;
  #forgotten = 0;
  #clears: Clear[] = [];

  get generation(): number {
    return this.#generation;
  }

  record(scope: string, time: number): void {
    this.#generation += 1;
    this.#clears.push({ generation: this.#generation, scope, time });
    const oldest = (this.#clears[0] as Clear).time;
    // Only when twice as many or as old are there, so that forgetting costs little per clear.
    if (this.#clears.length >= 2 * CLEARS_KEPT || oldest < time - 2 * CLEARS_KEPT_MS)
      this.#forget(time - CLEARS_KEPT_MS);
  }

  recordAll(): void {
    this.#generation += 1;
    this.#forgotten = this.#generation;
    this.#clears = [];
  }

  /** Whether the session, or all of its user, was cleared after the generation that was read, as far as is known. */
  wasCleared({ userId, sessionId, born, generation }: Continued): boolean {
    // A session that was there by then and still is was not cleared in between.
    if (generation === undefined || (born !== undefined && born <= generation)) return false;
    if (generation < this.#forgotten || generation > this.#generation) return true;
    const scopes = [scopeOf(userId), scopeOf(userId, sessionId)];
    for (let index = this.#clears.length - 1; index >= 0; index -= 1) {
      const clear = this.#clears[index] as Clear;
      if (clear.generation <= generation) return false;
      if (scopes.includes(clear.scope)) return true;
    }
    return false;
  }

  #forget(oldest: number): void {
    const recent = this.#clears.slice(-CLEARS_KEPT);
    const young = recent.findIndex(({ time }) => time >= oldest);
    this.#clears = young === -1 ? [] : recent.slice(young);
    this.#forgotten = (this.#clears[0]?.generation ?? this.#generation + 1) - 1;
  }
}
