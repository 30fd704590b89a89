import type { UserId } from "../../../ids.js";
import { attachmentsOf, type Contents, type StoredMessage } from "../../../messages.js";
import type { SqliteConnection } from "./driver.js";
import { noteErased } from "./upkeep.js";

/**
 * Keeps the contents that these stored messages name, each once for the user, and notes which
 * message uses which. The user's attachments are searched one by one for a hash: an index of hashes
 * would keep copies of deleted ones.
 */
export function insertAttachments(
  connection: SqliteConnection,
  userKey: number,
  { messages, contents }: { readonly messages: readonly StoredMessage[]; contents: Contents },
): void {
  for (const message of messages)
    for (const { hash } of attachmentsOf(message)) {
      const key =
        keyOf(connection, userKey, hash) ??
        insertContent(connection, userKey, { hash, content: contents.get(hash) });
      connection.run(
        `INSERT OR IGNORE INTO attachment_uses (user_key, message_id, attachment_key)
         VALUES (?, ?, ?)`,
        userKey,
        message.id,
        key,
      );
    }
}

const keyOf = (connection: SqliteConnection, userKey: number, hash: string): number | undefined =>
  connection.get<{ key: number }>(
    "SELECT attachment_key AS key FROM attachments WHERE user_key = ? AND hash = ?",
    userKey,
    hash,
  )?.key;

function insertContent(
  connection: SqliteConnection,
  userKey: number,
  { hash, content }: { readonly hash: string; readonly content: Uint8Array | undefined },
): number {
  if (content === undefined) throw new Error("an attachment without its content");
  connection.run(
    "INSERT INTO attachments (user_key, hash, content) VALUES (?, ?, ?)",
    userKey,
    hash,
    content,
  );
  return keyOf(connection, userKey, hash) as number;
}

/** The contents with these hashes that the user has. */
export function contentsOf(
  connection: SqliteConnection,
  userId: UserId,
  hashes: readonly string[],
): Contents {
  const contents = new Map<string, Uint8Array>();
  for (const hash of hashes) {
    const row = connection.get<{ content: Uint8Array }>(
      `SELECT content FROM attachments JOIN users USING (user_key)
       WHERE user_id = ? AND hash = ?`,
      userId,
      hash,
    );
    if (row !== undefined) contents.set(hash, new Uint8Array(row.content));
  }
  return contents;
}

/**
 * Forgets the contents that no message of the user names any more. Call it after every delete of
 * messages, in its transaction. The rows are blanked in place, as messages are: see
 * `blankMessages`.
 */
export function dropUnusedAttachments(connection: SqliteConnection, userKey: number): void {
  connection.run(
    `DELETE FROM attachment_uses
     WHERE user_key = ? AND NOT EXISTS (
       SELECT 1 FROM messages
       WHERE messages.user_key = attachment_uses.user_key
         AND messages.message_id = attachment_uses.message_id)`,
    userKey,
  );
  connection.run(
    `UPDATE attachments SET user_key = 0, hash = '', content = x''
     WHERE user_key = ? AND NOT EXISTS (
       SELECT 1 FROM attachment_uses
       WHERE attachment_uses.attachment_key = attachments.attachment_key)`,
    userKey,
  );
  if (connection.get<{ rows: number }>("SELECT changes() AS rows")?.rows !== 0)
    noteErased(connection);
}
