import type { SessionId, UserId } from "../../../ids.js";
import { scopeOf } from "../../clear-log.js";
import { jsonBytes } from "../../measure.js";
import type { Deleted } from "../../memory.js";
import type { EditedSession, ForkOutcome, OldRuns, StoreEdits, UndoOutcome } from "../../store.js";
import type { Row, SqlValue } from "./client.js";
import type { Attempt } from "./repeat.js";

interface Calls {
  /** Calls a function of the schema, after the user's other writes. */
  write(
    userId: UserId,
    name: string,
    valuesOf: (attempt: Attempt) => readonly SqlValue[],
  ): Promise<Row>;
}

/** Takes back runs of a database, and copies its sessions. */
export class PostgresEdits implements StoreEdits {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async clearBefore(
    userId: UserId,
    { sessionId, before, dryRun, time }: OldRuns,
  ): Promise<Deleted> {
    const commitId = crypto.randomUUID();
    const row = await this.#calls.write(userId, "clear_before_v1", ({ isRepeat }) => [
      ...[userId, sessionId ?? null, before, dryRun, time, commitId, isRepeat],
    ]);
    const [sessions, messages] = row as readonly [number, number];
    return { messages, sessions };
  }

  async undo(
    userId: UserId,
    { sessionId, runs, time }: EditedSession & { readonly runs: number },
  ): Promise<UndoOutcome> {
    const scope = scopeOf(userId, sessionId);
    const values = [userId, sessionId, runs, scope, time, crypto.randomUUID()];
    const undone = (await this.#calls.write(userId, "undo_v1", () => values)) as
      | readonly [runs: number, messages: number]
      | readonly [null, null];
    return undone[0] === null ? "STATE_UNKNOWN" : { runs: undone[0], messages: undone[1] };
  }

  async fork(
    userId: UserId,
    { sessionId, to, time }: EditedSession & { readonly to: SessionId },
  ): Promise<ForkOutcome> {
    const moreBytes = jsonBytes(to) - jsonBytes(sessionId);
    const values = [userId, sessionId, to, moreBytes, time, crypto.randomUUID()];
    const [outcome, messages] = (await this.#calls.write(
      userId,
      "fork_v2",
      () => values,
    )) as readonly ["FORKED" | Extract<ForkOutcome, string>, number];
    return outcome === "FORKED" ? { messages } : outcome;
  }
}
