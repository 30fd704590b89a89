import type { SessionId, UserId } from "../../../ids.js";
import type { JsonValue, SessionState } from "../../memory.js";
import { isFull } from "../../session-pages.js";
import { decodeState } from "../../state.js";
import type { CountsRow, SessionRowWithState } from "../../store.js";
import type { SqliteConnection } from "./driver.js";
import { checkedRow } from "./rows.js";
import { decodeStored } from "./sqlite-errors.js";

/** The next page of a user's sessions above the id `after`, by id. */
export function listSessionsAfter(
  connection: SqliteConnection,
  userId: UserId,
  after: string,
): SessionRowWithState[] {
  const page: SessionRowWithState[] = [];
  let characters = 0;
  let state: SessionState = decodeState([]);
  for (const row of connection.each<SessionStateRow>(SESSIONS_AFTER, userId, after)) {
    const { sessionId, keyJson, valueJson } = row;
    if (sessionId !== page.at(-1)?.sessionId) {
      if (isFull(page, characters)) break;
      const { messages, runs, bytes, lastActivity, total } = row;
      state = decodeState([]);
      page.push(checkedRow({ sessionId, messages, runs, bytes, lastActivity, total, state }));
    }
    if (keyJson === null) continue;
    characters += keyJson.length + valueJson.length;
    decodeStored(() => {
      state[JSON.parse(keyJson) as string] = JSON.parse(valueJson) as JsonValue;
    });
  }
  return page;
}

/** Sums up all sessions of a user. */
export const countsOfUser = (connection: SqliteConnection, userId: UserId): CountsRow =>
  countsIn(connection, "user_id = ?", userId);

export const countsOfSession = (
  connection: SqliteConnection,
  userId: UserId,
  sessionId: SessionId,
): CountsRow => countsIn(connection, "user_id = ? AND session_id = ?", userId, sessionId);

function countsIn(connection: SqliteConnection, scope: string, ...ids: string[]): CountsRow {
  const row = connection.get<Omit<CountsRow, "lastActivity"> & { lastActivity: number | null }>(
    `SELECT count(*) AS sessions, coalesce(sum(sessions.messages), 0) AS messages,
            coalesce(sum(runs), 0) AS runs, coalesce(sum(bytes), 0) AS bytes,
            max(sessions.last_activity) AS lastActivity
     FROM users JOIN sessions USING (user_key) WHERE ${scope}`,
    ...ids,
  );
  const { lastActivity, ...counts } = row as NonNullable<typeof row>;
  if (lastActivity === null) return { ...counts, lastActivity: undefined };
  return checkedRow({ ...counts, lastActivity });
}

/** One row for each value of a state; one for a session without a state. */
const SESSIONS_AFTER = `
  SELECT session_id AS sessionId, sessions.messages AS messages, runs, bytes,
         sessions.last_activity AS lastActivity, total,
         key_json AS keyJson, value_json AS valueJson
  FROM users JOIN sessions USING (user_key)
    LEFT JOIN session_states USING (user_key, session_key)
  WHERE user_id = ? AND session_id > ? ORDER BY session_id`;

type SessionStateRow = Omit<SessionRowWithState, "state"> &
  (
    | { readonly keyJson: string; readonly valueJson: string }
    | { readonly keyJson: null; readonly valueJson: null }
  );
