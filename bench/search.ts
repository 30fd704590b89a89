import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemory } from "../src/memory/in-memory.js";
import type { Memory } from "../src/memory/memory.js";
import { SqliteMemory } from "../src/memory/sqlite.js";
import { userMessage } from "../src/messages.js";
import { median } from "./report.js";

// Prints how long searches of one user take, in histories of more and more messages: all of that
// user, or nearly all of others. Takes some minutes and 2 GB of disk and of memory.

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

async function typical(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timeOf(work));
  return median(times);
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const milliseconds = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} ms`;

async function measure(memory: Memory): Promise<Map<string, string>> {
  const search = (words: string) => memory.search?.(words, "alice");
  const results = new Map<string, string>();
  results.set("the first search", milliseconds(await timeOf(() => search("zebra"))));
  for (const [what, words] of Object.entries(QUERIES))
    results.set(what, milliseconds(await typical(() => search(words))));
  return results;
}

async function column(name: string, size: number): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "agno-chat-search-"));
  const path = join(folder, "memory.db");
  const memory = name === "InMemory" ? new InMemory() : new SqliteMemory(path);
  try {
    const own = name === "of others" ? OWN : size;
    await fill(memory, own, size - own);
    return await measure(memory);
  } finally {
    await memory.close();
    rmSync(folder, { recursive: true });
  }
}

console.log(row(["messages", "search for", ...SIZES.map((size) => size.toLocaleString("en"))]));
console.log(row(["---", "---", ...SIZES.map(() => "---")]));
for (const name of ["of the user", "of others", "InMemory"]) {
  const columns: Map<string, string>[] = [];
  for (const size of SIZES) columns.push(await column(name, size));
  for (const what of columns[0]?.keys() ?? [])
    console.log(row([name, what, ...columns.map((cells) => cells.get(what) ?? "")]));
}
