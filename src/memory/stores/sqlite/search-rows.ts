import type { StoredMessage } from "../../../messages.js";
import {
  type Bits,
  type Block,
  bitsOf,
  both,
  buildBlock,
  CHARACTERS_PER_BLOCK,
  IDS_PER_BLOCK,
  idsOf,
  partOf,
} from "../../search/block.js";
import { FEW, Found } from "../../search/found.js";
import type { Page, Wanted } from "../../store.js";
import type { SqliteConnection } from "./driver.js";
import { messageOfUser, pageOfSession, pageOfUser, type SessionRow, type UserRow } from "./rows.js";

/** A page of messages that no block covers. */
const PAGE = { limit: 500, maxCharacters: CHARACTERS_PER_BLOCK };

/** Builds the next missing block of a user. Returns whether there was one. */
export function indexNextBlock(connection: SqliteConnection, user: UserRow): boolean {
  const gap = nextGap(connection, user);
  if (gap === undefined) return false;
  const page = { ...gap, limit: IDS_PER_BLOCK, maxCharacters: CHARACTERS_PER_BLOCK };
  const { postings, ...block } = buildBlock(pageOfUser(connection, user, page));
  const { userKey } = user;
  connection.run(
    `INSERT INTO search_blocks (user_key, first_id, last_id, latest, parts)
     VALUES (?, ?, ?, ?, ?)`,
    ...[userKey, block.firstId, block.lastId, block.latest, block.parts],
  );
  for (const [part, bytes] of postings.entries())
    connection.run(
      `INSERT INTO search_parts (user_key, first_id, part, padding, postings)
       VALUES (?, ?, ?, zeroblob(1000), ?)`,
      ...[userKey, block.firstId, part, bytes],
    );
  return true;
}

/** The ids between two. */
type Gap = Pick<Page, "before"> & { readonly after: number };

/**
 * The messages without a block that need one: those before a block, or those after all of them if
 * they are many. All others are so few that reading them takes no time.
 */
export function nextGap(connection: SqliteConnection, user: UserRow): Gap | undefined {
  const { userKey } = user;
  let after = 0;
  for (const { firstId, lastId } of blocksOf(connection, user, "ASC")) {
    if (firstId > after + 1 && hasMessage(connection, userKey, { after, before: firstId }))
      return { after, before: firstId };
    after = lastId;
  }
  if (user.nextMessageId - after <= 1) return undefined;
  const rest = connection.get<{ messages: number; bytes: number }>(
    `SELECT count(*) AS messages, coalesce(sum(bytes), 0) AS bytes FROM (
       SELECT octet_length(body_json) AS bytes FROM messages
       WHERE user_key = ? AND message_id > ? LIMIT ${IDS_PER_BLOCK})`,
    userKey,
    after,
  );
  const isMany =
    rest !== undefined && (rest.messages === IDS_PER_BLOCK || rest.bytes > CHARACTERS_PER_BLOCK);
  return isMany ? { after, before: Infinity } : undefined;
}

const hasMessage = (connection: SqliteConnection, userKey: number, gap: Gap): boolean =>
  connection.get(
    `SELECT message_id FROM messages WHERE user_key = ? AND message_id > ? AND message_id < ?
     LIMIT 1`,
    userKey,
    gap.after,
    gap.before,
  ) !== undefined;

const blocksOf = (
  connection: SqliteConnection,
  { userKey }: UserRow,
  order: "ASC" | "DESC",
): Block[] =>
  connection.all(
    `SELECT first_id AS firstId, last_id AS lastId, latest, parts FROM search_blocks
     WHERE user_key = ? ORDER BY first_id ${order}`,
    userKey,
  );

/** The newest messages of a user that match, newest first. */
export function findMessages(
  connection: SqliteConnection,
  user: UserRow,
  wanted: Wanted,
): StoredMessage[] {
  const found = new Found(wanted);
  let before = Infinity;
  for (const block of blocksOf(connection, user, "DESC")) {
    scan(found, (page) => pageOfUser(connection, user, page), { after: block.lastId, before });
    if (found.isFull) return found.messages;
    before = block.firstId;
    if (block.latest < wanted.since) continue;
    for (const id of candidatesIn(connection, user, { block, grams: found.grams })) {
      found.take(messageOfUser(connection, user, id));
      if (found.isFull) return found.messages;
    }
  }
  scan(found, (page) => pageOfUser(connection, user, page), { after: 0, before });
  return found.messages;
}

/** The same of one session, all of which is read. */
export function findInSession(
  connection: SqliteConnection,
  session: SessionRow,
  wanted: Wanted,
): StoredMessage[] {
  const found = new Found(wanted);
  const read = (page: Page) => pageOfSession(connection, session, page);
  scan(found, read, { after: 0, before: Infinity });
  return found.messages;
}

/** Reads the gap page by page, from its end. */
function scan(
  found: Found,
  read: (page: Page) => readonly StoredMessage[],
  { after, before }: Gap,
): void {
  for (let end: number | undefined = before; end !== undefined && end > after + 1; )
    end = found.takePage(read({ ...PAGE, after: undefined, before: end }), after);
}

/** The messages of a block that may match, newest first. */
function candidatesIn(
  connection: SqliteConnection,
  { userKey }: UserRow,
  { block, grams }: { readonly block: Block; readonly grams: readonly number[] },
): number[] {
  let candidates: Bits | undefined;
  for (const gram of grams) {
    const row = connection.get<{ postings: Uint8Array }>(
      `SELECT postings FROM search_parts WHERE user_key = ? AND first_id = ? AND part = ?`,
      userKey,
      block.firstId,
      partOf(gram, block),
    );
    if (row === undefined) continue;
    const bits = bitsOf(gram, row.postings, block);
    candidates = candidates === undefined ? bits : both(candidates, bits);
    const ids = idsOf(candidates, block);
    if (ids.length <= FEW) return ids;
  }
  return candidates === undefined ? [] : idsOf(candidates, block);
}
