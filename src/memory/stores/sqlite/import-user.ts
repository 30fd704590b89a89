import { hashesOf, haveAttachments, type StoredMessage } from "../../../messages.js";
import type { SessionCopy, UserCopy } from "../../copy-store.js";
import { insertAttachments } from "./attachment-rows.js";
import { currentGeneration } from "./clear-rows.js";
import type { SqliteConnection } from "./driver.js";
import {
  applyChanges,
  findUser,
  insertMessages,
  insertSession,
  insertUser,
  type SessionRow,
  type UserRow,
} from "./rows.js";

/** Inside a transaction. Resolves to false when the user exists. */
export async function importUser(
  connection: SqliteConnection,
  { userId, lastActivity, sessions, contentsOf }: UserCopy,
  pages: AsyncIterable<readonly StoredMessage[]>,
): Promise<boolean> {
  if (findUser(connection, userId) !== undefined) return false;
  const { userKey } = insertUser(connection, userId, lastActivity);
  const rows = new Map<string, SessionRow>(
    sessions.map((session) => [
      session.sessionId,
      importSession(connection, findUser(connection, userId) as UserRow, session),
    ]),
  );
  let last = 0;
  const lastOf = new Map<string, number>();
  for await (const page of pages) {
    for (const [sessionId, messages] of bySession(page)) {
      insertMessages(connection, rows.get(sessionId) as SessionRow, { messages, time: 0 });
      lastOf.set(sessionId, messages.at(-1)?.id ?? 0);
    }
    for (const message of page.filter((each) => haveAttachments([each]))) {
      const contents = await contentsOf(hashesOf([message]));
      insertAttachments(connection, userKey, { messages: [message], contents });
    }
    last = page.at(-1)?.id ?? last;
  }
  for (const { sessionId, total } of sessions)
    connection.run(
      "UPDATE sessions SET total = ?, undo_after = ? WHERE user_key = ? AND session_key = ?",
      total,
      lastOf.get(sessionId) ?? 0,
      userKey,
      (rows.get(sessionId) as SessionRow).sessionKey,
    );
  connection.run("UPDATE users SET next_message_id = ? WHERE user_key = ?", last + 1, userKey);
  return true;
}

function importSession(
  connection: SqliteConnection,
  user: UserRow,
  { sessionId, lastActivity, state }: SessionCopy,
): SessionRow {
  const created = currentGeneration(connection);
  const session = insertSession(connection, user, { sessionId, created, time: lastActivity });
  applyChanges(connection, session, state);
  return session;
}

function bySession(page: readonly StoredMessage[]): Map<string, StoredMessage[]> {
  const messages = new Map<string, StoredMessage[]>();
  for (const message of page) {
    const known = messages.get(message.sessionId);
    if (known === undefined) messages.set(message.sessionId, [message]);
    else known.push(message);
  }
  return messages;
}
