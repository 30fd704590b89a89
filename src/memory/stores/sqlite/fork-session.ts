import type { SessionId, UserId } from "../../../ids.js";
import { jsonBytes } from "../../measure.js";
import type { EditedSession, ForkOutcome } from "../../store.js";
import { currentGeneration } from "./clear-rows.js";
import type { SqliteConnection } from "./driver.js";
import { findSession, findUser, insertSession, type SessionRow } from "./rows.js";

/** How many messages one statement copies: SQLite keeps them in memory meanwhile. */
const COPIED_AT_ONCE = 1_000;

/** Copies a session; see `StoreEdits`. */
export function forkSession(
  connection: SqliteConnection,
  userId: UserId,
  { sessionId, to, time }: EditedSession & { readonly to: SessionId },
): ForkOutcome {
  const user = findUser(connection, userId);
  const from = findSession(connection, userId, sessionId);
  if (findSession(connection, userId, to) !== undefined) return "SESSION_EXISTS";
  if (user === undefined || from === undefined) return "NOTHING";
  const created = currentGeneration(connection);
  const { userKey, sessionKey } = insertSession(connection, user, { sessionId: to, created, time });
  copyMessages(connection, from, { sessionKey, firstId: user.nextMessageId });
  connection.run(
    `INSERT INTO attachment_uses (user_key, message_id, attachment_key)
     SELECT user_key, ${copyOf("attachment_uses.message_id")}, attachment_key
     FROM attachment_uses JOIN messages USING (user_key, message_id)
     WHERE user_key = ?1 AND session_key = ?2`,
    userKey,
    from.sessionKey,
    sessionKey,
    user.nextMessageId,
  );
  copyState(connection, from, { sessionKey, firstId: user.nextMessageId });
  connection.run(
    `UPDATE sessions SET (total, messages, runs, latest_run_id, undo_after, bytes) = (
       SELECT messages, messages, runs, latest_run_id, ${copyOf("undo_after")},
              bytes + ?5 * messages + ${digitsOf("?3")} - ${digitsOf("?2")}
       FROM sessions WHERE user_key = ?1 AND session_key = ?2)
     WHERE user_key = ?1 AND session_key = ?3`,
    userKey,
    from.sessionKey,
    sessionKey,
    user.nextMessageId,
    jsonBytes(to) - jsonBytes(from.sessionId),
  );
  connection.run(
    `UPDATE users SET messages = messages + ?1, next_message_id = next_message_id + ?1,
            last_activity = max(last_activity, ?2)
     WHERE user_key = ?3`,
    from.messages,
    time,
    userKey,
  );
  return { messages: from.messages };
}

interface Copy {
  readonly sessionKey: number;
  readonly firstId: number;
}

function copyMessages(
  connection: SqliteConnection,
  { userKey, sessionKey, messages }: SessionRow,
  copy: Copy,
): void {
  let after = 0;
  for (let done = 0; done < messages; done += COPIED_AT_ONCE) {
    connection.run(
      `INSERT INTO messages (user_key, message_id, session_key, is_system, run_id, created_at,
                             body_json)
       SELECT user_key, ?4 - 1 + row_number() OVER (ORDER BY message_id), ?5, is_system, run_id,
              created_at, body_json
       FROM messages WHERE user_key = ?1 AND session_key = ?2 AND message_id > ?3
       ORDER BY message_id LIMIT ${COPIED_AT_ONCE}`,
      userKey,
      sessionKey,
      after,
      copy.firstId + done,
      copy.sessionKey,
    );
    after =
      connection.get<{ id: number }>(
        `SELECT max(message_id) AS id FROM (
           SELECT message_id FROM messages
           WHERE user_key = ? AND session_key = ? AND message_id > ?
           ORDER BY message_id LIMIT ${COPIED_AT_ONCE})`,
        userKey,
        sessionKey,
        after,
      )?.id ?? after;
  }
}

function copyState(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  copy: Copy,
): void {
  connection.run(
    `INSERT INTO session_states (user_key, session_key, key_json, value_json)
     SELECT user_key, ?3, key_json, value_json FROM session_states
     WHERE user_key = ?1 AND session_key = ?2`,
    userKey,
    sessionKey,
    copy.sessionKey,
  );
  connection.run(
    `INSERT OR IGNORE INTO state_changes
     SELECT user_key, ?3, ${copyOf("state_changes.message_id")}, key_json, before_json
     FROM state_changes WHERE user_key = ?1 AND session_key = ?2 ORDER BY message_id`,
    userKey,
    sessionKey,
    copy.sessionKey,
    copy.firstId,
  );
}

/**
 * In SQL: the id of the copy of a message, or of the next one if it is gone, in the session ?2 of
 * the user ?1, where ?4 is the first id of the copies. 0 stays 0.
 */
const copyOf = (id: string): string =>
  `CASE ${id} WHEN 0 THEN 0 ELSE ?4 + (
     SELECT count(*) FROM messages
     WHERE messages.user_key = ?1 AND messages.session_key = ?2 AND messages.message_id < ${id})
   END`;

/** In SQL: how many digits the ids of a session have, which count as bytes of its messages. */
const digitsOf = (sessionKey: string): string =>
  `(SELECT coalesce(sum(length(message_id)), 0) FROM messages
    WHERE user_key = ?1 AND session_key = ${sessionKey})`;
