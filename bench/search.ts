import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemory } from "../src/memory/in-memory.js";
import type { Memory } from "../src/memory/memory.js";
import { PostgresMemory } from "../src/memory/postgres.js";
import { SqliteMemory } from "../src/memory/sqlite.js";
import { initPostgres } from "../src/memory/stores/postgres/admin.js";
import { userMessage } from "../src/messages.js";
import { newDatabase } from "../test/support/postgres.js";
import { startPostgres } from "../test/support/postgres-server.js";

// Prints how long searches of one user take, in histories of more and more messages: all of that
// user, or nearly all of others. Takes some minutes and 3 GB of disk and of memory.

const SIZES = [10_000, 100_000, 1_000_000];
const OWN = 5_000;
const ROUNDS = 20;

/** Syllables make words as frequent and as rare as those of a language. */
const SYLLABLES = "ba de ki lo mu na re si to vu pra ste con ter 京 都 東 猫".split(" ");

/** Pseudo-random numbers below 1, with small ones more often. */
let state = 1;
function skewed(): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state / 2 ** 32) ** 2;
}

const word = (): string =>
  Array.from(
    { length: 1 + Math.floor(skewed() * 4) },
    () => SYLLABLES[Math.floor(skewed() * SYLLABLES.length)],
  ).join("");

/** About 200 characters. One in ten thousand has a rare word. */
const textOf = (index: number): string =>
  Array.from({ length: 40 }, word).join(" ") + (index % 10_000 === 5_000 ? " zebra" : "");

const QUERIES: Readonly<Record<string, string>> = {
  "a rare word": "zebra",
  "a common word": "ba",
  "two words": "pramude sterlo",
  "two of 猫都": "猫都",
  "a word that nobody said": "zymurgy",
};

async function fill(memory: Memory, own: number, others: number): Promise<void> {
  for (let done = 0; done < own + others; done += OWN) {
    const messages = Array.from({ length: OWN }, (_, index) => userMessage(textOf(done + index)));
    // The history of one user lies between those of others.
    const isOwn = own > OWN || done === Math.floor(others / 2 / OWN) * OWN;
    await memory.add(messages, isOwn ? "alice" : `user-${done % (100 * OWN)}`);
  }
}

async function timeOf(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function fastest(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timeOf(work));
  return Math.min(...times);
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const milliseconds = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} ms`;

async function measure(memory: Memory): Promise<Map<string, string>> {
  const search = (words: string) => memory.search?.(words, "alice");
  const results = new Map<string, string>();
  results.set("the first search", milliseconds(await timeOf(() => search("zebra"))));
  for (const [what, words] of Object.entries(QUERIES))
    results.set(what, milliseconds(await fastest(() => search(words))));
  return results;
}

async function inPostgres(work: (memory: Memory) => Promise<void>): Promise<void> {
  const server = await startPostgres();
  const url = await newDatabase(server.url);
  await initPostgres(url);
  const memory = new PostgresMemory(url);
  await work(memory);
  await memory.close();
  await server.stop();
}

async function inSqlite(work: (memory: Memory) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "agno-chat-search-"));
  const memory = new SqliteMemory(join(folder, "memory.db"));
  await work(memory);
  await memory.close();
  rmSync(folder, { recursive: true });
}

const inMemory = (work: (memory: Memory) => Promise<void>): Promise<void> => work(new InMemory());

/** Whose messages a million are, and where. */
const ROWS = [
  { name: "SQLite", open: inSqlite, isOwn: true },
  { name: "SQLite, of others", open: inSqlite, isOwn: false },
  { name: "PostgreSQL", open: inPostgres, isOwn: true },
  { name: "PostgreSQL, of others", open: inPostgres, isOwn: false },
  { name: "InMemory", open: inMemory, isOwn: true },
];

console.log(row(["messages", "search for", ...SIZES.map((size) => size.toLocaleString("en"))]));
console.log(row(["---", "---", ...SIZES.map(() => "---")]));
for (const { name, open, isOwn } of ROWS) {
  const columns: Map<string, string>[] = [];
  for (const size of SIZES)
    await open(async (memory) => {
      const own = isOwn ? size : OWN;
      await fill(memory, own, size - own);
      columns.push(await measure(memory));
    });
  for (const what of columns[0]?.keys() ?? [])
    console.log(row([name, what, ...columns.map((cells) => cells.get(what) ?? "")]));
}
