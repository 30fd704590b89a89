import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import {
  loadEngine,
  SqliteConnection,
  type SqlValue,
} from "../../src/memory/stores/sqlite/driver.js";
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

/** Some pieces of what the index knows of a user. */
const piecesOf = (connection: SqliteConnection, userId: string): Buffer[] =>
  rows<{ postings: Uint8Array }>(
    connection,
    `SELECT postings FROM search_parts JOIN users USING (user_key)
     WHERE user_id = ? AND length(postings) > 2000 AND part % 16 = 0`,
    userId,
  ).flatMap(({ postings }) =>
    [100, 1_500].map((start) => Buffer.from(postings.subarray(start, start + 40))),
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
    `SELECT user_id, first_id, last_id, search_blocks.parts = count(part) AS isWhole
     FROM search_blocks JOIN users USING (user_key) JOIN search_parts USING (user_key, first_id)
     GROUP BY user_id`,
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
