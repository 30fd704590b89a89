import type { SessionId, UserId } from "../../../ids.js";
import { type Message, textsOf } from "../../../messages.js";
import type { OtherRows } from "../../store-report.js";
import type { SqliteConnection, SqlValue } from "./driver.js";
import { openAsItIs } from "./schema.js";
import { decodeStored, storeFailed } from "./sqlite-errors.js";

/** Takes texts, contents of attachments, and bytes as they are stored. */
export interface Taker {
  addText(text: string): void;
  addContent(bytes: Uint8Array): void;
  addBytes(bytes: Uint8Array): void;
}

export interface OwnScope {
  readonly userId: UserId;
  /** `undefined` means all sessions of the user. */
  readonly sessionId: SessionId | undefined;
  /** Only messages from before this time, in milliseconds since 1970. */
  readonly before: number;
}

export interface OwnRows extends OtherRows {
  /** Names the user in the file; undefined if there is none. */
  readonly userKey: number | undefined;
}

/**
 * Gives `taker` every text of the scope: of messages, their tool calls and the names and contents
 * of attachments, the names of sessions, session state, what undo keeps of it, and the search
 * index. The memory file has the newest schema.
 * @returns the rows of the user in all sessions
 * @throws {AgnoChatError} `STORE_FAILED`
 */
export const readOwn = (path: string, scope: OwnScope, taker: Taker): Promise<OwnRows> =>
  looking(path, (connection) => {
    const { userId, sessionId } = scope;
    const userKey = userKeyOf(connection, userId);
    if (userKey === undefined) return NO_ROWS;
    const session = sessionId === undefined ? null : sessionKeyOf(connection, userKey, sessionId);
    if (session !== undefined) takeOwn(connection, { ...scope, userKey, session }, taker);
    return rowsOf(connection, userKey);
  });

const NO_ROWS: OwnRows = {
  userKey: undefined,
  stateValues: 0,
  stateChanges: 0,
  attachments: 0,
  searchBlocks: 0,
};

/** What is left after a delete of a user who had these rows. */
export interface Left {
  readonly rows: OwnRows;
  /** Rows with the old key of the user that belong to none of their sessions and messages. */
  readonly strays: number;
}

/** @throws {AgnoChatError} `STORE_FAILED` */
export const leftIn = (path: string, userId: UserId, { userKey }: OwnRows): Promise<Left> =>
  looking(path, (connection) => {
    const newKey = userKeyOf(connection, userId);
    return {
      rows: newKey === undefined ? NO_ROWS : rowsOf(connection, newKey),
      strays: userKey === undefined ? 0 : straysOf(connection, userKey),
    };
  });

/**
 * Gives `take` everything that users have in the file now, as it is stored, and what describes the
 * tables, until it returns false.
 * @throws {AgnoChatError} `STORE_FAILED`
 */
export const readLiving = (path: string, take: (bytes: Uint8Array) => boolean): Promise<void> =>
  looking(path, (connection) => {
    for (const select of LIVING)
      for (const row of connection.each<Record<string, SqlValue>>(select))
        for (const value of Object.values(row))
          if (value !== null && !take(value as Uint8Array)) return;
  });

/**
 * Whether nothing is left to do after the deletes so far.
 * @throws {AgnoChatError} `STORE_FAILED`
 */
export const isCleanedUp = (path: string): Promise<boolean> =>
  looking(
    path,
    (connection) =>
      connection.get("SELECT 1 FROM upkeep WHERE erased <> cleaned OR moving_to <> 0") ===
      undefined,
  );

async function looking<Result>(
  path: string,
  work: (connection: SqliteConnection) => Result,
): Promise<Result> {
  const connection = await openAsItIs(path);
  try {
    return await connection.read(() => work(connection));
  } catch (error) {
    throw storeFailed(path, error);
  } finally {
    await connection.close();
  }
}

const userKeyOf = (connection: SqliteConnection, userId: UserId): number | undefined =>
  connection.get<{ key: number }>("SELECT user_key AS key FROM users WHERE user_id = ?", userId)
    ?.key;

const sessionKeyOf = (
  connection: SqliteConnection,
  userKey: number,
  sessionId: SessionId,
): number | undefined =>
  connection.get<{ key: number }>(
    "SELECT session_key AS key FROM sessions WHERE user_key = ? AND session_id = ?",
    userKey,
    sessionId,
  )?.key;

interface OwnKeys extends OwnScope {
  readonly userKey: number;
  /** null: all of them. */
  readonly session: number | null;
}

function takeOwn(connection: SqliteConnection, own: OwnKeys, taker: Taker): void {
  const { userKey, session, before } = own;
  const inSession = "user_key = ?1 AND (?2 IS NULL OR session_key = ?2)";
  for (const { json } of connection.each<{ json: string }>(
    `SELECT body_json AS json FROM messages WHERE ${inSession} AND created_at < ?3`,
    userKey,
    session,
    Math.min(before, Number.MAX_SAFE_INTEGER),
  ))
    for (const text of textsOf(decodeStored(() => JSON.parse(json) as Message)))
      taker.addText(text);
  for (const select of [
    `SELECT CAST(session_id AS BLOB) AS one, NULL AS other FROM sessions WHERE ${inSession}`,
    `SELECT CAST(key_json AS BLOB) AS one, CAST(value_json AS BLOB) AS other
     FROM session_states WHERE ${inSession}`,
    `SELECT CAST(key_json AS BLOB) AS one, CAST(before_json AS BLOB) AS other
     FROM state_changes WHERE ${inSession}`,
  ])
    for (const row of connection.each<Values>(select, userKey, session)) takeValues(row, taker);
  for (const { content } of connection.each<{ content: Uint8Array }>(
    `SELECT content FROM attachments
     WHERE user_key = ?1 AND (?2 IS NULL OR attachment_key IN (
       SELECT attachment_key FROM attachment_uses JOIN messages USING (user_key, message_id)
       WHERE user_key = ?1 AND session_key = ?2))`,
    userKey,
    session,
  ))
    taker.addContent(content);
  for (const row of connection.each<Values>(
    "SELECT postings AS one, NULL AS other FROM search_parts WHERE user_key = ?",
    userKey,
  ))
    takeValues(row, taker);
}

interface Values {
  readonly one: Uint8Array;
  readonly other: Uint8Array | null;
}

function takeValues({ one, other }: Values, taker: Taker): void {
  taker.addBytes(one);
  if (other !== null) taker.addBytes(other);
}

const rowsOf = (connection: SqliteConnection, userKey: number): OwnRows => ({
  userKey,
  ...(connection.get(
    `SELECT (SELECT count(*) FROM session_states WHERE user_key = ?1) AS stateValues,
            (SELECT count(*) FROM state_changes WHERE user_key = ?1) AS stateChanges,
            (SELECT count(*) FROM attachments WHERE user_key = ?1) AS attachments,
            (SELECT count(*) FROM search_blocks WHERE user_key = ?1) AS searchBlocks`,
    userKey,
  ) as OtherRows),
});

/** The key may be that of a new user by now, whose own rows are no strays. */
function straysOf(connection: SqliteConnection, userKey: number): number {
  const ofNoSession = `WHERE user_key = ?1
    AND session_key NOT IN (SELECT session_key FROM sessions WHERE user_key = ?1)`;
  const { strays } = connection.get(
    `SELECT (SELECT count(*) FROM messages ${ofNoSession})
          + (SELECT count(*) FROM session_states ${ofNoSession})
          + (SELECT count(*) FROM state_changes ${ofNoSession})
          + (SELECT count(*) FROM sessions WHERE user_key = ?1
               AND user_key NOT IN (SELECT user_key FROM users))
          + (SELECT count(*) FROM attachments WHERE user_key = ?1 AND attachment_key NOT IN (
               SELECT attachment_key FROM attachment_uses WHERE user_key = ?1))
          + (SELECT count(*) FROM attachment_uses WHERE user_key = ?1 AND message_id NOT IN (
               SELECT message_id FROM messages WHERE user_key = ?1))
          + (SELECT count(*) FROM search_blocks WHERE user_key = ?1 AND NOT EXISTS (
               SELECT 1 FROM messages WHERE user_key = ?1
                 AND message_id BETWEEN first_id AND last_id))
          + (SELECT count(*) FROM search_parts WHERE user_key = ?1 AND first_id NOT IN (
               SELECT first_id FROM search_blocks WHERE user_key = ?1)) AS strays`,
    userKey,
  ) as { strays: number };
  return strays;
}

/** Rows that belong to nobody are left out: they should not be there. */
const LIVING: readonly string[] = [
  `SELECT CAST(body_json AS BLOB) FROM messages JOIN sessions USING (user_key, session_key)
   JOIN users USING (user_key)`,
  `SELECT CAST(key_json AS BLOB), CAST(value_json AS BLOB)
   FROM session_states JOIN sessions USING (user_key, session_key) JOIN users USING (user_key)`,
  `SELECT CAST(key_json AS BLOB), CAST(before_json AS BLOB)
   FROM state_changes JOIN sessions USING (user_key, session_key) JOIN users USING (user_key)`,
  `SELECT content FROM attachments JOIN users USING (user_key)
   WHERE attachment_key IN (SELECT attachment_key FROM attachment_uses)`,
  `SELECT postings FROM search_parts JOIN search_blocks USING (user_key, first_id)
   JOIN users USING (user_key)`,
  "SELECT CAST(session_id AS BLOB) FROM sessions JOIN users USING (user_key)",
  ...["users", "limits", "spending", "runs_under_way"].map(
    (table) => `SELECT CAST(user_id AS BLOB) FROM ${table}`,
  ),
  "SELECT CAST(user_id AS BLOB), CAST(label AS BLOB) FROM tokens",
  "SELECT CAST(sql AS BLOB) FROM sqlite_schema",
];
