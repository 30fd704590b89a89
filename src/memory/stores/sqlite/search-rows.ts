import type { StoredMessage } from "../../../messages.js";
import {
  type Bits,
  type Block,
  type BuiltBlock,
  bitsOf,
  both,
  buildBlock,
  CHARACTERS_PER_BLOCK,
  IDS_PER_BLOCK,
  idsOf,
  partOf,
} from "../../search/block.js";
import { Found } from "../../search/found.js";
import { GramPlan } from "../../search/gram-plan.js";
import type { Page, Wanted } from "../../store.js";
import type { SqliteConnection } from "./driver.js";
import { messageOfUser, pageOfSession, pageOfUser, type SessionRow, type UserRow } from "./rows.js";
import { decodeStored } from "./sqlite-errors.js";

/** A page of messages that no block covers. */
const PAGE = { limit: 500, maxCharacters: CHARACTERS_PER_BLOCK };

/**
 * Builds the next missing block of a user. Returns the share of the ids up to its end, or undefined
 * if none was missing.
 */
export function indexNextBlock(connection: SqliteConnection, user: UserRow): number | undefined {
  const gap = nextGap(connection, user);
  if (gap === undefined) return undefined;
  const page = { ...gap, limit: IDS_PER_BLOCK, maxCharacters: CHARACTERS_PER_BLOCK };
  const block = buildBlock(pageOfUser(connection, user, page));
  insertBlock(connection, user.userKey, block);
  return block.lastId / (user.nextMessageId - 1);
}

/** The rows of a block go with the first of its messages that goes. */
export function insertBlock(
  connection: SqliteConnection,
  userKey: number,
  { firstId, lastId, latest, parts, postings }: BuiltBlock,
): void {
  const { firstPart } = connection.get<{ firstPart: number }>(
    "SELECT coalesce(max(part_key), 0) + 1 AS firstPart FROM search_parts",
  ) as { firstPart: number };
  connection.run(
    `INSERT INTO search_blocks (user_key, first_id, last_id, latest, parts, first_part)
     VALUES (?, ?, ?, ?, ?, ?)`,
    ...[userKey, firstId, lastId, latest, parts, firstPart],
  );
  for (const [part, bytes] of postings.entries())
    connection.run(
      `INSERT INTO search_parts (part_key, user_key, first_id, padding, postings)
       VALUES (?, ?, ?, zeroblob(?), ?)`,
      ...[firstPart + part, userKey, firstId, PADDING, wholePages(bytes)],
    );
}

/**
 * SQLite leaves copies of the beginning of a row when it moves it. If the rest of a row fills pages
 * of its own, to the last byte, the beginning is these zeros alone. (With pages of 4,096 bytes: of
 * a row too long for one, at least 489 bytes are among other rows, and 4,092 on each further page.)
 */
const PADDING = 500;
const PAGE_BYTES = 4_092;

function wholePages(bytes: Uint8Array): Uint8Array {
  const filled = new Uint8Array(PAGE_BYTES * Math.ceil(bytes.length / PAGE_BYTES));
  filled.set(bytes);
  return filled;
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
  return areMany(connection, userKey, after) ? { after, before: Infinity } : undefined;
}

/** Whether the messages after this one are enough for a block. */
function areMany(connection: SqliteConnection, userKey: number, after: number): boolean {
  const sum = (what: string): number => {
    const sql = `SELECT coalesce(sum(each), 0) AS sum FROM (
      SELECT ${what} AS each FROM messages
      WHERE user_key = ? AND message_id > ? LIMIT ${IDS_PER_BLOCK})`;
    return connection.get<{ sum: number }>(sql, userKey, after)?.sum ?? 0;
  };
  // To count takes the index alone, and no messages.
  return sum("1") === IDS_PER_BLOCK || sum("octet_length(body_json)") > CHARACTERS_PER_BLOCK;
}

const hasMessage = (connection: SqliteConnection, userKey: number, gap: Gap): boolean =>
  connection.get(
    `SELECT message_id FROM messages WHERE user_key = ? AND message_id > ? AND message_id < ?
     LIMIT 1`,
    userKey,
    gap.after,
    gap.before,
  ) !== undefined;

interface ListedBlock extends Block {
  readonly firstPart: number;
}

const blocksOf = (
  connection: SqliteConnection,
  { userKey }: UserRow,
  order: "ASC" | "DESC",
): ListedBlock[] =>
  connection.all(
    `SELECT first_id AS firstId, last_id AS lastId, latest, parts, first_part AS firstPart
     FROM search_blocks
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
  const plan = new GramPlan(wanted.query.terms);
  let before = Infinity;
  for (const block of blocksOf(connection, user, "DESC")) {
    scan(found, (page) => pageOfUser(connection, user, page), { after: block.lastId, before });
    if (found.isFull) return found.messages;
    before = block.firstId;
    if (block.latest < wanted.since) continue;
    for (const id of candidatesIn(connection, block, plan)) {
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
function candidatesIn(connection: SqliteConnection, block: ListedBlock, plan: GramPlan): number[] {
  const lookUp = (gram: number): Bits => {
    const key = block.firstPart + partOf(gram, block);
    const sql = "SELECT postings FROM search_parts WHERE part_key = ?";
    const row = connection.get<{ postings: Uint8Array }>(sql, key);
    return decodeStored(() => bitsOf(gram, (row as { postings: Uint8Array }).postings, block));
  };
  if (plan.isDue()) plan.learn(new Map(plan.grams.map((gram) => [gram, lookUp(gram)])));
  let candidates: Bits | undefined;
  for (const [index, gram] of plan.grams.entries()) {
    const bits = lookUp(gram);
    candidates = candidates === undefined ? bits : both(candidates, bits);
    if (plan.isEnough(candidates, index + 1)) break;
  }
  return candidates === undefined ? [] : idsOf(candidates, block);
}
