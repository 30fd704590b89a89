import { type UserId, validateSessionId } from "../../../ids.js";
import { scopeOf } from "../../clear-log.js";
import type { Deleted } from "../../memory.js";
import type { OldRuns } from "../../store.js";
import { dropUnusedAttachments } from "./attachment-rows.js";
import { currentGeneration, recordClears } from "./clear-rows.js";
import type { SqliteConnection } from "./driver.js";
import {
  deleteSession,
  encodeRunId,
  findSession,
  isEmptySession,
  listSessions,
  type SessionRow,
  subtractTurns,
} from "./rows.js";
import { blankMessages, noteErased } from "./upkeep.js";

/** How many messages are read at once to count their bytes. */
const TURNS_AT_ONCE = 1_000;

/** Deletes old runs, and sessions that are old as a whole; see `StoreEdits`. */
export function clearBefore(
  connection: SqliteConnection,
  userId: UserId,
  { sessionId: only, before, dryRun, time }: OldRuns,
): Deleted {
  const deleted = { messages: 0, sessions: 0 };
  const scopes: string[] = [];
  const shortened: SessionRow[] = [];
  for (const { sessionId: id, lastActivity } of listSessions(connection, userId)) {
    const sessionId = validateSessionId(id);
    const session = findSession(connection, userId, sessionId);
    if (session === undefined || (only ?? id) !== id) continue;
    const runs = runsBefore(connection, session, before);
    const spans = spansOf(connection, session, runs);
    const turns = spans.reduce((sum, span) => sum + span.turns, 0);
    const left = { ...session, messages: session.messages - turns };
    const isWhole = lastActivity < before || isEmptySession(connection, left);
    if (turns === 0 && !isWhole) continue;
    deleted.messages += isWhole ? session.messages : turns;
    deleted.sessions += isWhole ? 1 : 0;
    if (dryRun) continue;
    scopes.push(scopeOf(userId, sessionId));
    if (isWhole) deleteSession(connection, session);
    else {
      removeRuns(connection, session, { runs, spans });
      shortened.push(session);
    }
  }
  if (scopes.length > 0) recordClears(connection, scopes, time);
  for (const { userKey, sessionKey } of shortened)
    connection.run(
      "UPDATE sessions SET born = ? WHERE user_key = ? AND session_key = ?",
      currentGeneration(connection),
      userKey,
      sessionKey,
    );
  return deleted;
}

/** The runs of which all turns are from before this time, as they are stored. */
function runsBefore(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  time: number,
): ReadonlySet<string> {
  const rows = connection.all<{ run: string }>(
    `SELECT run_id AS run FROM messages WHERE user_key = ? AND session_key = ? AND is_system = 0
     GROUP BY run_id HAVING max(created_at) < ?`,
    userKey,
    sessionKey,
    time,
  );
  return new Set(rows.map(({ run }) => run));
}

/** Turns in a row: those above the id `after`, up to `last`. */
interface Span {
  readonly after: number;
  last: number;
  turns: number;
}

/** Where the turns of these runs are. */
function spansOf(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  runs: ReadonlySet<string>,
): readonly Span[] {
  if (runs.size === 0) return [];
  const spans: Span[] = [];
  let span: Span | undefined;
  let after = 0;
  for (const turn of connection.each<{ id: number; run: string }>(
    `SELECT message_id AS id, run_id AS run FROM messages
     WHERE user_key = ? AND session_key = ? AND is_system = 0 ORDER BY message_id`,
    userKey,
    sessionKey,
  )) {
    if (!runs.has(turn.run)) span = undefined;
    else if (span !== undefined && span.turns < TURNS_AT_ONCE)
      Object.assign(span, { last: turn.id, turns: span.turns + 1 });
    else {
      span = { after, last: turn.id, turns: 1 };
      spans.push(span);
    }
    after = turn.id;
  }
  return spans;
}

function removeRuns(
  connection: SqliteConnection,
  session: SessionRow,
  { runs, spans }: { readonly runs: ReadonlySet<string>; readonly spans: readonly Span[] },
): void {
  const { userKey, sessionKey, latestRunId } = session;
  noteErased(connection);
  for (const { after, last } of spans) {
    subtractTurns(connection, session, { after, before: last + 1, aged: true });
    blankMessages(connection, { userKey, sessionKey, turnsAfter: after, before: last + 1 });
    connection.run(
      `DELETE FROM state_changes
       WHERE user_key = ? AND session_key = ? AND message_id > ? AND message_id <= ?`,
      userKey,
      sessionKey,
      after,
      last,
    );
  }
  dropUnusedAttachments(connection, userKey);
  connection.run(
    `UPDATE sessions SET undo_after = max(${latestOf(0)}, ${latestOf(1)})
     WHERE user_key = ?1 AND session_key = ?2`,
    userKey,
    sessionKey,
  );
  if (latestRunId === undefined || !runs.has(encodeRunId(latestRunId))) return;
  connection.run(
    `UPDATE sessions SET latest_run_id = (
       SELECT run_id FROM messages WHERE user_key = ?1 AND session_key = ?2 AND is_system = 0
       ORDER BY message_id DESC LIMIT 1)
     WHERE user_key = ?1 AND session_key = ?2`,
    userKey,
    sessionKey,
  );
}

/**
 * In SQL: the last message up to `undo_after`. Of one kind, which the session's index has: else all
 * messages of the user could be looked at.
 */
const latestOf = (isSystem: 0 | 1): string =>
  `(SELECT coalesce(max(message_id), 0) FROM messages
    WHERE user_key = ?1 AND session_key = ?2 AND is_system = ${isSystem}
      AND message_id <= undo_after)`;
