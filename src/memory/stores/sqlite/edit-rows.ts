import type { UserId } from "../../../ids.js";
import { scopeOf } from "../../clear-log.js";
import { CHANGES_KEPT, type StateChange } from "../../state.js";
import type { EditedSession, UndoOutcome } from "../../store.js";
import { dropUnusedAttachments } from "./attachment-rows.js";
import { currentGeneration, recordClears } from "./clear-rows.js";
import type { SqliteConnection } from "./driver.js";
import {
  applyChanges,
  deleteSession,
  findSession,
  isEmptySession,
  type SessionRow,
  subtractTurns,
} from "./rows.js";
import { blankMessages, noteErased } from "./upkeep.js";

/** Keeps the values that the commit at message `id` is about to change. */
export function noteChanges(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  { id, state }: { readonly id: number; readonly state: readonly StateChange[] },
): void {
  if (state.length === 0) return;
  for (const [key] of state)
    connection.run(
      `INSERT INTO state_changes
       VALUES (?1, ?2, ?3, ?4, (SELECT value_json FROM session_states
         WHERE user_key = ?1 AND session_key = ?2 AND key_json = ?4))`,
      userKey,
      sessionKey,
      id,
      JSON.stringify(key),
    );
  const oldest = connection.get<{ id: number }>(
    `SELECT DISTINCT message_id AS id FROM state_changes WHERE user_key = ? AND session_key = ?
     ORDER BY message_id DESC LIMIT 1 OFFSET ${CHANGES_KEPT}`,
    userKey,
    sessionKey,
  );
  if (oldest === undefined) return;
  connection.run(
    "DELETE FROM state_changes WHERE user_key = ? AND session_key = ? AND message_id <= ?",
    userKey,
    sessionKey,
    oldest.id,
  );
  connection.run(
    "UPDATE sessions SET undo_after = ? WHERE user_key = ? AND session_key = ?",
    oldest.id,
    userKey,
    sessionKey,
  );
}

/** Takes back the last runs of a session; see `StoreEdits`. */
export function undoRuns(
  connection: SqliteConnection,
  userId: UserId,
  { sessionId, runs: most, time }: EditedSession & { readonly runs: number },
): UndoOutcome {
  const session = findSession(connection, userId, sessionId);
  if (session === undefined) return { runs: 0, messages: 0 };
  const { runs, after, latestRun } = lastRuns(connection, session, most);
  if (runs === 0) return { runs: 0, messages: 0 };
  const { userKey, sessionKey } = session;
  const kept = connection.get<{ undoAfter: number }>(
    "SELECT undo_after AS undoAfter FROM sessions WHERE user_key = ? AND session_key = ?",
    userKey,
    sessionKey,
  );
  if (kept === undefined || kept.undoAfter > after) return "STATE_UNKNOWN";

  noteErased(connection);
  const messages = subtractTurns(connection, session, { after });
  blankMessages(connection, { userKey, sessionKey, turnsAfter: after });
  dropUnusedAttachments(connection, userKey);
  restoreState(connection, session, after);
  recordClears(connection, [scopeOf(userId, sessionId)], time);
  connection.run(
    "UPDATE sessions SET born = ?, latest_run_id = ? WHERE user_key = ? AND session_key = ?",
    currentGeneration(connection),
    latestRun,
    userKey,
    sessionKey,
  );
  const left = { ...session, messages: session.messages - messages };
  if (isEmptySession(connection, left)) deleteSession(connection, left);
  return { runs, messages };
}

interface LastRuns {
  readonly runs: number;
  /** The message before them, or 0. */
  readonly after: number;
  /** The run before them, as it is stored. */
  readonly latestRun: string | null;
}

function lastRuns(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  most: number,
): LastRuns {
  let [runs, first, before] = [0, Infinity, 0];
  let run: string | null = null;
  let latestRun: string | null = null;
  for (const turn of connection.each<{ id: number; run: string }>(
    `SELECT message_id AS id, run_id AS run FROM messages
     WHERE user_key = ? AND session_key = ? AND is_system = 0 ORDER BY message_id DESC`,
    userKey,
    sessionKey,
  )) {
    if (turn.run !== run) {
      latestRun = turn.run;
      before = turn.id;
      if (runs === most) break;
      runs += 1;
      run = turn.run;
    }
    first = turn.id;
    latestRun = null;
    before = 0;
  }
  if (runs === 0) return { runs, after: 0, latestRun };
  // Of one kind, which the session's index has: else all messages of the user could be looked at.
  const system = connection.get<{ id: number | null }>(
    `SELECT max(message_id) AS id FROM messages
     WHERE user_key = ? AND session_key = ? AND is_system = 1 AND message_id < ?`,
    userKey,
    sessionKey,
    first,
  );
  return { runs, after: Math.max(before, system?.id ?? 0), latestRun };
}

/** Gives every key its value from before the first change after this message. */
function restoreState(connection: SqliteConnection, session: SessionRow, after: number): void {
  const where = "user_key = ? AND session_key = ? AND message_id > ?";
  const values = [session.userKey, session.sessionKey, after];
  const changes = connection.all<{ keyJson: string; beforeJson: string | null }>(
    `SELECT key_json AS keyJson, before_json AS beforeJson FROM state_changes
     WHERE ${where} ORDER BY message_id DESC`,
    ...values,
  );
  applyChanges(
    connection,
    session,
    changes.map(({ keyJson, beforeJson }) => [
      JSON.parse(keyJson) as string,
      beforeJson ?? undefined,
    ]),
  );
  connection.run(`DELETE FROM state_changes WHERE ${where}`, ...values);
}
