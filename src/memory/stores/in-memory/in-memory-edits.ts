import type { SessionId, UserId } from "../../../ids.js";
import type { ClearLog } from "../../clear-log.js";
import type { Deleted } from "../../memory.js";
import type { EditedSession, ForkOutcome, OldRuns, StoreEdits, UndoOutcome } from "../../store.js";
import { SessionHistory } from "./session-history.js";
import type { UserHistory } from "./user-history.js";

interface Histories {
  userOf(userId: UserId): UserHistory | undefined;
  remove(userId: UserId, user: UserHistory, session: SessionHistory): void;
  readonly clears: ClearLog;
}

/** Takes back runs of this process, and copies its sessions. */
export class InMemoryEdits implements StoreEdits {
  readonly #histories: Histories;

  constructor(histories: Histories) {
    this.#histories = histories;
  }

  clearBefore(userId: UserId, { sessionId, before, dryRun, time }: OldRuns): Deleted {
    const { clears } = this.#histories;
    const user = this.#histories.userOf(userId);
    const deleted = { messages: 0, sessions: 0 };
    for (const session of [...(user?.sessions.values() ?? [])]) {
      if (user === undefined || (sessionId ?? session.sessionId) !== session.sessionId) continue;
      const runs = session.runsBefore(before);
      const turns = session.turns.filter(({ runId }) => runs.has(runId)).length;
      const isWhole =
        session.lastActivity < before || (turns === session.size && session.state.size === 0);
      if (turns === 0 && !isWhole) continue;
      deleted.messages += isWhole ? session.size : turns;
      deleted.sessions += isWhole ? 1 : 0;
      if (dryRun) continue;
      clears.record(userId, { sessionId: session.sessionId, time });
      if (isWhole) this.#histories.remove(userId, user, session);
      else {
        user.removeRuns(session, runs);
        session.created = clears.generation;
      }
    }
    return deleted;
  }

  undo(
    userId: UserId,
    { sessionId, runs: most, time }: EditedSession & { readonly runs: number },
  ): UndoOutcome {
    const { clears } = this.#histories;
    const user = this.#histories.userOf(userId);
    const session = user?.sessions.get(sessionId);
    const { runs, after } = session?.lastRuns(most) ?? { runs: 0, after: 0 };
    if (user === undefined || session === undefined || runs === 0) return { runs: 0, messages: 0 };
    if (!session.knowsStateAfter(after)) return "STATE_UNKNOWN";
    const messages = user.removeTurnsAfter(session, after);
    session.restoreStateAfter(after);
    clears.record(userId, { sessionId, time });
    session.created = clears.generation;
    if (session.isEmpty) this.#histories.remove(userId, user, session);
    return { runs, messages };
  }

  fork(
    userId: UserId,
    { sessionId, to, time }: EditedSession & { readonly to: SessionId },
  ): ForkOutcome {
    const user = this.#histories.userOf(userId);
    const session = user?.sessions.get(sessionId);
    if (user?.sessions.has(to)) return "SESSION_EXISTS";
    if (user === undefined || session === undefined) return "NOTHING";
    const copy = new SessionHistory(to, this.#histories.clears.generation);
    const rows = session.copyTo(copy, user.nextId);
    copy.lastActivity = time;
    user.lastActivity = Math.max(user.lastActivity, time);
    user.sessions.set(to, copy);
    user.append(copy, rows);
    return { messages: rows.length };
  }
}
