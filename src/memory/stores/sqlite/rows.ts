import { type SessionId, storedUserId, type UserId } from "../../../ids.js";
import type { Message, StoredFields, StoredMessage } from "../../../messages.js";
import { bytesOf, charactersOf } from "../../measure.js";
import type { DeletedUsers, SessionState } from "../../memory.js";
import { byId, cutToPage } from "../../order.js";
import { decodeState, type StateChange } from "../../state.js";
import type {
  Page,
  SessionRow as SessionInfo,
  UserCount,
  UserRow as UserInfo,
} from "../../store.js";
import { dropUnusedAttachments } from "./attachment-rows.js";
import type { SqliteConnection, SqlValue } from "./driver.js";
import { decodeStored } from "./sqlite-errors.js";
import { blankMessages, noteErased } from "./upkeep.js";

/** The columns of a user that writes need. */
export interface UserRow {
  readonly userKey: number;
  readonly nextMessageId: number;
  readonly nextSessionKey: number;
  readonly sessions: number;
  readonly messages: number;
}

/** The columns of a session that reads and writes need. */
export interface SessionRow {
  readonly userKey: number;
  readonly sessionKey: number;
  readonly sessionId: string;
  readonly created: number;
  readonly total: number;
  readonly messages: number;
  readonly latestRunId: string | undefined;
  /** Of the user. */
  readonly nextMessageId: number;
}

/** The columns of a message. Only rows of several sessions name theirs. */
type MessageColumns = readonly [
  id: number,
  runId: string,
  createdAt: number,
  bodyJson: string,
  ...sessionId: string[],
];

export const findUser = (connection: SqliteConnection, userId: UserId): UserRow | undefined =>
  connection.get(
    `SELECT user_key AS userKey, next_message_id AS nextMessageId,
            next_session_key AS nextSessionKey, sessions, messages
     FROM users WHERE user_id = ?`,
    userId,
  );

export function findSession(
  connection: SqliteConnection,
  userId: UserId,
  sessionId: SessionId,
): SessionRow | undefined {
  const columns = connection.columns<SessionColumns>(
    `SELECT user_key, session_key, born, total, sessions.messages, latest_run_id, next_message_id
     FROM sessions JOIN users USING (user_key) WHERE user_id = ? AND session_id = ?`,
    userId,
    sessionId,
  );
  if (columns === undefined) return undefined;
  const [userKey, sessionKey, created, total, messages, latestRun, nextMessageId] = columns;
  const latestRunId = latestRun === null ? undefined : decodeRunId(latestRun);
  return {
    userKey,
    sessionKey,
    sessionId,
    created,
    total,
    messages,
    latestRunId,
    nextMessageId,
  };
}

type SessionColumns = readonly [
  userKey: number,
  sessionKey: number,
  created: number,
  total: number,
  messages: number,
  latestRun: string | null,
  nextMessageId: number,
];

export const countUsers = (connection: SqliteConnection, idleSince: number): UserCount => ({
  ...(connection.get(
    "SELECT count(*) AS users, count(*) FILTER (WHERE last_activity < ?) AS idle FROM users",
    idleSince,
  ) as UserCount),
});

/** Users whose last activity is before `oldest`, by key, starting above key `after`. */
export const idleUsers = (
  connection: SqliteConnection,
  {
    after,
    oldest,
    limit,
  }: { readonly after: number; readonly oldest: number; readonly limit: number },
): IdleUser[] =>
  connection
    .all<Omit<IdleUser, "userId"> & { userId: string }>(
      `SELECT user_key AS userKey, user_id AS userId, sessions, messages FROM users
       WHERE user_key > ? AND last_activity < ? ORDER BY user_key LIMIT ?`,
      after,
      oldest,
      limit,
    )
    .map((row) => ({ ...row, userId: storedUserId(row.userId) }));

interface IdleUser {
  readonly userKey: number;
  readonly userId: UserId;
  readonly sessions: number;
  readonly messages: number;
}

export function insertUser(connection: SqliteConnection, userId: UserId, time: number): UserRow {
  connection.run(
    `INSERT INTO users (user_id, next_message_id, next_session_key, sessions, messages,
                        last_activity)
     VALUES (?, 1, 1, 0, 0, ?)`,
    userId,
    time,
  );
  return findUser(connection, userId) as UserRow;
}

export function insertSession(
  connection: SqliteConnection,
  { userKey, nextSessionKey: sessionKey, nextMessageId }: UserRow,
  {
    sessionId,
    created,
    time,
  }: { readonly sessionId: SessionId; readonly created: number; readonly time: number },
): SessionRow {
  connection.run(
    `INSERT INTO sessions (user_key, session_key, session_id, born, total, messages, runs, bytes,
                           last_activity)
     VALUES (?, ?, ?, ?, 0, 0, 0, 0, ?)`,
    userKey,
    sessionKey,
    sessionId,
    created,
    time,
  );
  connection.run(
    `UPDATE users SET sessions = sessions + 1, next_session_key = next_session_key + 1
     WHERE user_key = ?`,
    userKey,
  );
  const counts = { total: 0, messages: 0, latestRunId: undefined, nextMessageId };
  return { userKey, sessionKey, sessionId, created, ...counts };
}

/** Adds the messages, if any, and updates the counts and last activity of the session and user. */
export function insertMessages(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  { messages, time }: { readonly messages: readonly StoredMessage[]; readonly time: number },
): void {
  const latest = messages.at(-1);
  let runs = 0;
  let bytes = 0;
  for (const message of messages) {
    insertMessage(connection, { userKey, sessionKey, message });
    if (message.role === "user") runs += 1;
    bytes += bytesOf(message);
  }
  connection.run(
    `UPDATE sessions SET total = total + ?1, messages = messages + ?1, runs = runs + ?2,
            bytes = bytes + ?3, latest_run_id = coalesce(?4, latest_run_id),
            last_activity = max(last_activity, ?5)
     WHERE user_key = ?6 AND session_key = ?7`,
    messages.length,
    runs,
    bytes,
    latest === undefined ? null : encodeRunId(latest.runId),
    time,
    userKey,
    sessionKey,
  );
  connection.run(
    `UPDATE users SET next_message_id = next_message_id + ?1, messages = messages + ?1,
            last_activity = max(last_activity, ?2)
     WHERE user_key = ?3`,
    messages.length,
    time,
    userKey,
  );
}

function insertMessage(
  connection: SqliteConnection,
  { userKey, sessionKey, message }: { userKey: number; sessionKey: number; message: StoredMessage },
): void {
  // The keys that have columns. Leaving them out of a copy would take far longer.
  const body = {
    ...message,
    id: undefined,
    runId: undefined,
    sessionId: undefined,
    createdAt: undefined,
  };
  connection.run(
    `INSERT INTO messages (user_key, message_id, session_key, is_system, run_id, created_at,
                           body_json)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    userKey,
    message.id,
    sessionKey,
    message.role === "system" ? 1 : 0,
    encodeRunId(message.runId),
    Date.parse(message.createdAt),
    JSON.stringify(body),
  );
}

/** The run of the session's last message, ignoring system messages. */
export function lastRunOf(
  connection: SqliteConnection,
  session: SessionRow | undefined,
): string | undefined {
  if (session === undefined) return undefined;
  return messagesOf(connection, session, { isSystem: 0, ...ALL, limit: 1 })[0]?.runId;
}

/**
 * Deletes the messages of this run from the end of the session, ignoring system messages, and
 * subtracts them from the counts.
 */
export function deleteLastRun(
  connection: SqliteConnection,
  session: SessionRow,
  runId: string,
): void {
  const { userKey, sessionKey } = session;
  const other = connection.get<{ id: number }>(
    `SELECT message_id AS id FROM messages
     WHERE user_key = ? AND session_key = ? AND is_system = 0 AND run_id <> ?
     ORDER BY message_id DESC LIMIT 1`,
    userKey,
    sessionKey,
    encodeRunId(runId),
  );
  const after = other?.id ?? 0;
  subtractTurns(connection, session, { after });
  connection.run(
    `DELETE FROM messages
     WHERE user_key = ? AND session_key = ? AND is_system = 0 AND message_id > ?`,
    userKey,
    sessionKey,
    after,
  );
  dropUnusedAttachments(connection, userKey);
}

/**
 * Subtracts the turns between two ids from all counts, and returns how many there are. With `aged`
 * they still count as added to the session.
 */
export function subtractTurns(
  connection: SqliteConnection,
  session: SessionRow,
  {
    after,
    before = Infinity,
    aged = false,
  }: { readonly after: number; readonly before?: number; readonly aged?: boolean },
): number {
  const { userKey, sessionKey } = session;
  const turns = messagesOf(connection, session, { isSystem: 0, ...ALL, after, before });
  connection.run(
    `UPDATE sessions
     SET total = total - ?, messages = messages - ?, runs = runs - ?, bytes = bytes - ?
     WHERE user_key = ? AND session_key = ?`,
    aged ? 0 : turns.length,
    turns.length,
    turns.filter(({ role }) => role === "user").length,
    turns.reduce((sum, message) => sum + bytesOf(message), 0),
    userKey,
    sessionKey,
  );
  connection.run(
    "UPDATE users SET messages = messages - ? WHERE user_key = ?",
    turns.length,
    userKey,
  );
  return turns.length;
}

export function applyChanges(
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
  changes: readonly StateChange[],
): void {
  for (const [key, json] of changes) {
    if (json === undefined)
      connection.run(
        "DELETE FROM session_states WHERE user_key = ? AND session_key = ? AND key_json = ?",
        userKey,
        sessionKey,
        JSON.stringify(key),
      );
    else
      connection.run(
        `INSERT INTO session_states (user_key, session_key, key_json, value_json)
         VALUES (?, ?, ?, ?)
         ON CONFLICT (user_key, session_key, key_json)
         DO UPDATE SET value_json = excluded.value_json`,
        userKey,
        sessionKey,
        JSON.stringify(key),
        json,
      );
  }
}

/** The value of one key as JSON text. */
export function stateJsonOf(
  connection: SqliteConnection,
  session: SessionRow | undefined,
  key: string,
): string | undefined {
  if (session === undefined) return undefined;
  const row = connection.get<{ json: string }>(
    `SELECT value_json AS json FROM session_states
     WHERE user_key = ? AND session_key = ? AND key_json = ?`,
    session.userKey,
    session.sessionKey,
    JSON.stringify(key),
  );
  return row?.json;
}

/** Keys and values of the session state as JSON text. */
export const stateRowsOf = (
  connection: SqliteConnection,
  { userKey, sessionKey }: SessionRow,
): StateRow[] =>
  connection.all<StateRow>(
    `SELECT key_json AS keyJson, value_json AS valueJson FROM session_states
     WHERE user_key = ? AND session_key = ?`,
    userKey,
    sessionKey,
  );

export interface StateRow {
  readonly keyJson: string;
  readonly valueJson: string;
}

export const stateOf = (rows: readonly StateRow[]): SessionState =>
  decodeStored(() =>
    decodeState(rows.map(({ keyJson, valueJson }) => [JSON.parse(keyJson) as string, valueJson])),
  );

/** Every system message of the session and the last `limit` others, oldest first. */
export const windowOf = (
  connection: SqliteConnection,
  session: SessionRow,
  limit: number,
): StoredMessage[] =>
  [
    ...messagesOf(connection, session, { isSystem: 1, ...ALL }),
    ...messagesOf(connection, session, { isSystem: 0, ...ALL, limit }),
  ].sort(byId);

const ALL: Page = { limit: Infinity, maxCharacters: Infinity, before: Infinity, after: undefined };

/** A page of one session, oldest first. */
export const pageOfSession = (
  connection: SqliteConnection,
  session: SessionRow,
  page: Page,
): readonly StoredMessage[] =>
  cutToPage(
    [
      ...messagesOf(connection, session, { isSystem: 1, ...page }),
      ...messagesOf(connection, session, { isSystem: 0, ...page }),
    ].sort(byId),
    page,
  );

/** A page of all sessions of a user, oldest first. */
export const pageOfUser = (
  connection: SqliteConnection,
  { userKey }: UserRow,
  page: Page,
): StoredMessage[] =>
  loadMessages(
    connection,
    { page, decode: decoderFor(undefined) },
    `${ALL_COLUMNS}
     WHERE user_key = ? AND message_id > ? AND message_id < ?
     ORDER BY message_id ${direction(page)} ${LIMIT}`,
    userKey,
    ...boundsOf(page),
  ).sort(byId);

const ALL_COLUMNS = `
  SELECT message_id, run_id, created_at, body_json, session_id
  FROM messages JOIN sessions USING (user_key, session_key)`;

/** SQLite would plan a statement anew for each number that a `LIMIT ?` is given. */
const LIMIT = "LIMIT +?";

/** One message of a user. */
export function messageOfUser(
  connection: SqliteConnection,
  { userKey }: UserRow,
  id: number,
): StoredMessage | undefined {
  const columns = connection.columns<MessageColumns>(
    `${ALL_COLUMNS} WHERE user_key = ? AND message_id = ?`,
    userKey,
    id,
  );
  return columns && decodeStored(() => decoderFor(undefined)(columns));
}

/** In the page's direction: newest first, or with `after` oldest first. */
const messagesOf = (
  connection: SqliteConnection,
  { userKey, sessionKey, sessionId }: SessionRow,
  { isSystem, ...page }: Page & { readonly isSystem: 0 | 1 },
): StoredMessage[] =>
  loadMessages(
    connection,
    { page, decode: decoderFor(sessionId) },
    `SELECT message_id, run_id, created_at, body_json FROM messages
     WHERE user_key = ? AND session_key = ? AND is_system = ? AND message_id > ? AND message_id < ?
     ORDER BY message_id ${direction(page)} ${LIMIT}`,
    userKey,
    sessionKey,
    isSystem,
    ...boundsOf(page),
  );

/** Loads messages in the order of the query, up to the one that exceeds `maxCharacters`. */
function loadMessages(
  connection: SqliteConnection,
  { page, decode }: { readonly page: Page; readonly decode: Decoder },
  sql: string,
  ...values: readonly SqlValue[]
): StoredMessage[] {
  // Faster than row by row.
  if (page.maxCharacters === Infinity) {
    const rows = connection.allColumns<MessageColumns>(sql, ...values);
    return decodeStored(() => rows.map(decode));
  }
  const messages: StoredMessage[] = [];
  let characters = 0;
  for (const columns of connection.eachColumns<MessageColumns>(sql, ...values)) {
    const message = decodeStored(() => decode(columns));
    messages.push(message);
    characters += charactersOf(message);
    if (characters > page.maxCharacters) break;
  }
  return messages;
}

const direction = ({ after }: Page): string => (after === undefined ? "DESC" : "ASC");

const boundsOf = ({ limit, before, after = 0 }: Page): number[] =>
  [after, before, limit].map((bound) => Math.min(bound, Number.MAX_SAFE_INTEGER));

/**
 * A function that turns rows of this session into messages; without one, the rows name theirs. It
 * fills in the parsed object and formats each time once, because that is most of a read.
 */
function decoderFor(sessionId: string | undefined): Decoder {
  let latest = { time: Number.NaN, iso: "" };
  return ([id, runId, time, bodyJson, ownSessionId]) => {
    const message = JSON.parse(bodyJson) as Message & Writable<StoredFields>;
    if (!ROLES.has(message.role) || typeof message.content !== "string")
      throw new Error("not a message");
    if (time !== latest.time) latest = { time, iso: new Date(time).toISOString() };
    message.id = id;
    message.runId = decodeRunId(runId);
    message.sessionId = sessionId ?? (ownSessionId as string);
    message.createdAt = latest.iso;
    return message;
  };
}

type Decoder = (columns: MessageColumns) => StoredMessage;

type Writable<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] };

const ROLES: ReadonlySet<unknown> = new Set(["system", "user", "assistant", "tool"]);

/**
 * The drivers end a text at its first NUL, so a run id with one is stored as JSON text; so is one
 * that begins like JSON text.
 */
export const encodeRunId = (runId: string): string =>
  runId.startsWith('"') || runId.includes("\0") ? JSON.stringify(runId) : runId;

const decodeRunId = (text: string): string =>
  text.startsWith('"') ? decodeStored(() => JSON.parse(text) as string) : text;

export function isEmptySession(
  connection: SqliteConnection,
  { userKey, sessionKey, messages }: SessionRow,
): boolean {
  if (messages > 0) return false;
  const state = connection.get(
    "SELECT key_json FROM session_states WHERE user_key = ? AND session_key = ? LIMIT 1",
    userKey,
    sessionKey,
  );
  return state === undefined;
}

const USERS_BY_ACTIVITY = `
  SELECT user_id AS userId, sessions, messages, last_activity AS lastActivity
  FROM users ORDER BY last_activity DESC, user_key`;

/** All users, or the first `limit`, most recently active first. */
export const listUsers = (connection: SqliteConnection, limit = Infinity): UserInfo[] =>
  (limit === Infinity
    ? connection.all<UserInfo>(USERS_BY_ACTIVITY)
    : connection.all<UserInfo>(`${USERS_BY_ACTIVITY} LIMIT ?`, limit)
  ).map(checkedRow);

interface PagesOfUsers {
  /** How many users a page has. */
  readonly size: number;
  /** Sorting takes memory; but every part that is sorted on its own reads all users. */
  readonly sortedAtOnce?: number;
}

/**
 * The same, page by page, all from the moment of the first. A page is never empty. Nothing else may
 * use the connection meanwhile.
 */
export function* pagesOfUsers(
  connection: SqliteConnection,
  { size, sortedAtOnce = 250_000 }: PagesOfUsers,
): Generator<UserInfo[]> {
  connection.exec("BEGIN");
  try {
    let page: UserInfo[] = [];
    for (const row of usersInParts(connection, sortedAtOnce)) {
      const { userId, sessions, messages, lastActivity } = row;
      page.push(checkedRow({ userId, sessions, messages, lastActivity }));
      if (page.length < size) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  } finally {
    connection.exec("COMMIT");
  }
}

function* usersInParts(connection: SqliteConnection, size: number): Generator<UserByActivity> {
  let last: UserByActivity | undefined;
  for (let count = size; count === size; ) {
    count = 0;
    const after = [last?.lastActivity ?? Number.MAX_SAFE_INTEGER, last?.userKey ?? 0];
    for (const user of connection.each<UserByActivity>(USERS_AFTER, ...after, size)) {
      count += 1;
      last = user;
      yield user;
    }
  }
}

const USERS_AFTER = `
  SELECT user_key AS userKey, user_id AS userId, sessions, messages, last_activity AS lastActivity
  FROM users WHERE (last_activity, -user_key) < (?, -?)
  ORDER BY last_activity DESC, user_key LIMIT ?`;

interface UserByActivity extends UserInfo {
  readonly userKey: number;
}

/** The next users above the id `after`, in the order of their ids. */
export const listUsersAfter = (
  connection: SqliteConnection,
  after: string,
  limit: number,
): UserInfo[] =>
  connection
    .all<UserInfo>(
      `SELECT user_id AS userId, sessions, messages, last_activity AS lastActivity
       FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?`,
      after,
      limit,
    )
    .map(checkedRow);

/** The sessions of a user, or the first `limit`, most recently active first. */
export const listSessions = (
  connection: SqliteConnection,
  userId: UserId,
  limit = Infinity,
): SessionInfo[] =>
  connection
    .all<SessionInfo>(
      `SELECT session_id AS sessionId, sessions.messages AS messages, runs, bytes,
              sessions.last_activity AS lastActivity
       FROM sessions JOIN users USING (user_key) WHERE user_id = ?
       ORDER BY sessions.last_activity DESC, session_key LIMIT ?`,
      userId,
      Math.min(limit, Number.MAX_SAFE_INTEGER),
    )
    .map(checkedRow);

export const checkedRow = <Row extends { readonly lastActivity: number }>(row: Row): Row =>
  decodeStored(() => {
    if (Number.isNaN(new Date(row.lastActivity).getTime())) throw new Error("not a time");
    return row;
  });

/** Deletes one session, and the user if that was the last one. */
export function deleteSession(
  connection: SqliteConnection,
  { userKey, sessionKey, messages }: SessionRow,
): void {
  noteErased(connection);
  blankMessages(connection, { userKey, sessionKey });
  dropUnusedAttachments(connection, userKey);
  for (const table of ["session_states", "state_changes", "sessions"])
    connection.run(
      `DELETE FROM ${table} WHERE user_key = ? AND session_key = ?`,
      userKey,
      sessionKey,
    );
  connection.run(
    "UPDATE users SET sessions = sessions - 1, messages = messages - ? WHERE user_key = ?",
    messages,
    userKey,
  );
  connection.run("DELETE FROM users WHERE user_key = ? AND sessions = 0", userKey);
}

/** Deletes one user with everything they have stored. */
export function deleteUser(connection: SqliteConnection, userKey: number): void {
  noteErased(connection);
  blankMessages(connection, { userKey });
  dropUnusedAttachments(connection, userKey);
  for (const table of ["session_states", "state_changes", "sessions", "users"])
    connection.run(`DELETE FROM ${table} WHERE user_key = ?`, userKey);
}

/** Deletes all users with everything they have stored. */
export function deleteEveryUser(connection: SqliteConnection): DeletedUsers {
  const deleted = connection.get<DeletedUsers>(
    `SELECT count(*) AS users, coalesce(sum(sessions), 0) AS sessions,
            coalesce(sum(messages), 0) AS messages
     FROM users`,
  ) as DeletedUsers;
  if (deleted.users > 0) noteErased(connection);
  for (const table of [
    ...["messages", "session_states", "state_changes", "sessions", "users"],
    ...["attachments", "attachment_uses"],
  ])
    connection.run(`DELETE FROM ${table}`);
  return { ...deleted };
}
