import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import {
  loadEngine,
  SqliteConnection,
  type SqlValue,
} from "../../src/memory/stores/sqlite/driver.js";
import { openMemoryFile } from "../../src/memory/stores/sqlite/schema.js";
import { insertBlock } from "../../src/memory/stores/sqlite/search-rows.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";

const MESSAGES = 2_100;

const connect = async (path: string): Promise<SqliteConnection> =>
  new SqliteConnection(await loadEngine(), path);

/** A long history, in words of the user's own. */
async function talk(memory: SqliteMemory, userId: string, seed: number): Promise<void> {
  const next = numbersFrom(seed);
  const word = () => next(2 ** 31).toString(36);
  const message = () => userMessage(Array.from({ length: 20 }, word).join(" "));
  for (const sessionId of ["one", "two", "one"])
    await memory.add(Array.from({ length: MESSAGES / 3 }, message), userId, { sessionId });
}

const rows = <Row>(connection: SqliteConnection, sql: string, ...values: SqlValue[]): Row[] =>
  connection.all<Row>(sql, ...values);

const PARTS_OF_USER = `
  users JOIN search_blocks USING (user_key)
  JOIN search_parts ON part_key >= first_part AND part_key < first_part + search_blocks.parts`;

/** Some pieces of what the index knows of a user: the beginning of a part, and more of it. */
const piecesOf = (connection: SqliteConnection, userId: string): Buffer[] =>
  rows<{ postings: Uint8Array }>(
    connection,
    `SELECT postings FROM ${PARTS_OF_USER} WHERE user_id = ? AND length(postings) > 2000 AND part_key % 16 = 0`,
    userId,
  ).flatMap(({ postings }) =>
    [0, 1_500].map((start) => Buffer.from(postings.subarray(start, start + 40))),
  );

const bytesOnDisk = (path: string): Buffer =>
  Buffer.concat(readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name))));

test("a search builds the index of the user who searches, and of nobody else", async () => {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  await talk(memory, "alice", 1);
  await talk(memory, "bob", 2);
  await memory.add(userMessage("short"), "carol");
  for (const userId of ["alice", "carol"]) await memory.search("no such word", userId);
  await memory.close();
  const connection = await connect(path);
  const indexed = rows(
    connection,
    `SELECT user_id, search_blocks.first_id, last_id, search_blocks.parts = count(part_key) AS isWhole
     FROM ${PARTS_OF_USER} GROUP BY user_id`,
  );
  await connection.close();
  expect(indexed).toEqual([{ user_id: "alice", first_id: 1, last_id: 2_048, isWhole: 1 }]);
});

test("nothing of a deleted text stays in the index, the file or its log", async () => {
  const path = temporaryFile();
  const users = ["a", "b", "c", "d", "e"];
  const memory = new SqliteMemory(path);
  for (const [seed, userId] of users.entries()) await talk(memory, userId, seed);
  for (const userId of users) await memory.search("no such word", userId);
  const connection = await connect(path);
  const pieces = new Map(users.map((userId) => [userId, piecesOf(connection, userId)]));
  await connection.close();
  const onDisk = (userId: string) => {
    const bytes = bytesOnDisk(path);
    return pieces.get(userId)?.filter((piece) => bytes.includes(piece)).length;
  };
  for (const userId of users) expect(onDisk(userId)).toBeGreaterThan(5);
  await memory.clear("b");
  await memory.clear("c", { sessionId: "two" });
  await memory.edits?.undo("d", { sessionId: "two", runs: 1 });
  await memory.close();
  for (const userId of ["b", "c", "d"]) expect(onDisk(userId)).toBe(0);
  for (const userId of ["a", "e"]) expect(onDisk(userId)).toBeGreaterThan(5);
  const again = new SqliteMemory(path);
  await again.clearAll();
  await again.close();
  for (const userId of ["a", "e"]) expect(onDisk(userId)).toBe(0);
});

/** SQLite moves whatever is on a page that begins with this: the rows of a table. */
const LEAF = 0x0d;

test("what SQLite moves has nothing of the index, so that no copies of it stay", async () => {
  const path = temporaryFile();
  const connection = await openMemoryFile(path);
  const next = numbersFrom(7);
  const ids = Array.from({ length: 3_000 }, (_, index) => index + 1);
  const secretOf = (id: number) => `secret-${`${id}`.padStart(5, "0")}`;
  await connection.write(() => {
    for (const id of ids) {
      const postings = [Buffer.alloc(100 + next(200), secretOf(id))];
      const block = { firstId: id, lastId: id, latest: 0, parts: 1, postings };
      insertBlock(connection, 1, block);
    }
  });
  const secretsIn = (bytes: Buffer) => new Set(bytes.toString("latin1").match(/secret-\d{5}/g));
  const stored = () => {
    connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return readFileSync(path);
  };
  const pages = stored();
  for (let page = 4096; page < pages.length; page += 4096)
    if (pages[page] === LEAF)
      expect(secretsIn(pages.subarray(page, page + 4096))).toEqual(new Set());
  expect(secretsIn(pages)).toEqual(new Set(ids.map(secretOf)));

  const order = ids.map((id) => [next(2 ** 31), id] as const).sort(([one], [two]) => one - two);
  const [gone, kept] = [order.slice(0, 2_550), order.slice(2_550)];
  await connection.write(() => {
    for (const [, id] of gone)
      connection.run("DELETE FROM search_blocks WHERE user_key = 1 AND first_id = ?", id);
  });
  expect(secretsIn(stored())).toEqual(new Set(kept.map(([, id]) => secretOf(id))));
  await connection.close();
});

test("a file that is only read is searched too, with the index that it has and without", async () => {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  await talk(memory, "alice", 1);
  await talk(memory, "bob", 2);
  await memory.add(userMessage("the zebra"), "alice");
  await memory.add(userMessage("the zebra"), "bob");
  await memory.search("zebra", "alice");
  await memory.close();
  chmodSync(path, 0o400);
  const reader = new SqliteMemory(path);
  onTestFinished(() => reader.close());
  for (const userId of ["alice", "bob"])
    expect((await reader.search("ZEBRA", userId)).found).toBe(1);
});
