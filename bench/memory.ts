import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemory } from "../src/memory/in-memory.js";
import type { Memory } from "../src/memory/memory.js";
import { SqliteMemory } from "../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../src/memory/stores/sqlite/driver.js";
import { assistantMessage, type Message, userMessage } from "../src/messages.js";
import { isShort, reportRatio } from "./report.js";

// Prints ratios: both sides of each are measured in turn, and the fastest rounds count.

const TEXT = "x".repeat(200);
const RUN: readonly Message[] = [userMessage(TEXT), assistantMessage(TEXT)];
const folder = mkdtempSync(join(tmpdir(), "agno-chat-bench-"));
const newFile = () => join(folder, `${randomUUID()}.db`);

type Work = () => Promise<unknown>;

/** Milliseconds for `count` calls. */
async function time(work: Work, count: number): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < count; index += 1) await work();
  return performance.now() - start;
}

/** Rounds that do not count, because V8 is still compiling the code. */
const WARM_UPS = 3;

/**
 * How many times longer `ours` takes than `base`, both in their fastest round.
 * @param prepare Called before each round; takes no part in its time.
 */
async function ratio(
  ours: Work,
  base: Work,
  { count = 100, rounds = 21, prepare = () => {} } = {},
): Promise<number> {
  const [oursTimes, baseTimes]: [number[], number[]] = [[], []];
  for (let round = -WARM_UPS; round < rounds; round += 1) {
    prepare();
    const [high, low] = [await time(ours, count), await time(base, count)];
    if (round < 0) continue;
    oursTimes.push(high);
    baseTimes.push(low);
  }
  return Math.min(...oursTimes) / Math.min(...baseTimes);
}

/** A minimal memory: a Map of lists, with one promise per user as the queue. */
class BareMap {
  readonly #lists = new Map<string, Message[]>();
  readonly #queues = new Map<string, Promise<unknown>>();

  run(user: string): Promise<unknown> {
    const turn = (this.#queues.get(user) ?? Promise.resolve()).then(() => {
      const list = this.#lists.get(user) ?? [];
      this.#lists.set(user, list);
      const request = [...list];
      list.push(...RUN.map((message) => ({ ...message })));
      return request;
    });
    this.#queues.set(user, turn);
    return turn;
  }

  clear(): void {
    this.#lists.clear();
    this.#queues.clear();
  }
}

const runOn = (memory: Memory, user: string, limit?: number) => async () => {
  const { generation } = await memory.read(user, { limit });
  await memory.add(RUN, user, { generation });
};

/**
 * A run on a history of this length. Users take turns, so that no history grows much; without a
 * history, every round begins with none.
 */
async function inMemoryRun(history: number): Promise<number> {
  const users = Array.from({ length: history === 0 ? 1_000 : 500 }, (_, index) => `user-${index}`);
  const bare = new BareMap();
  let memory = new InMemory();
  for (const user of users)
    for (let index = 0; index < history / 2; index += 1) {
      memory.add(RUN, user);
      await bare.run(user);
    }
  let turn = 0;
  const next = () => users[turn++ % users.length] as string;
  const queues = new Map<string, Promise<unknown>>();
  const ours = () => {
    const user = next();
    const run = (queues.get(user) ?? Promise.resolve()).then(() => {
      const { generation } = memory.read(user);
      memory.add(RUN, user, { generation });
    });
    queues.set(user, run);
    return run;
  };
  const startOver = () => {
    memory = new InMemory();
    bare.clear();
    queues.clear();
  };
  return ratio(ours, () => bare.run(next()), {
    count: users.length,
    rounds: history === 0 ? 101 : 11,
    ...(history === 0 && { prepare: startOver }),
  });
}

async function sqliteRun(): Promise<number> {
  const memory = new SqliteMemory(newFile());
  const bare = new SqliteConnection(await loadEngine(), newFile());
  bare.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  bare.exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, json TEXT)");
  const bareRun = async () => {
    bare.run("BEGIN IMMEDIATE");
    for (const message of RUN)
      bare.run("INSERT INTO messages (json) VALUES (?)", JSON.stringify(message));
    bare.run("COMMIT");
  };
  const result = await ratio(runOn(memory, "alice", 20), bareRun, { count: 20, rounds: 41 });
  await memory.close();
  await bare.close();
  return result;
}

async function filled(memory: Memory, { users, messages }: { users: number; messages: number }) {
  const chunk = Array.from(
    { length: Math.min(messages, 1_000) },
    (_, index) => RUN[index % 2] as Message,
  );
  for (let user = 0; user < users; user += 1)
    for (let done = 0; done < messages; done += chunk.length)
      await memory.add(chunk, `user-${user}`);
  return memory;
}

async function flatness(name: string, open: () => Memory, count: number): Promise<void> {
  const small = await filled(open(), { users: 1, messages: 10 });
  for (const messages of isShort ? [10_000] : [10_000, 100_000]) {
    const large = await filled(open(), { users: 1, messages });
    const figure = await ratio(runOn(large, "user-0", 20), runOn(small, "user-0", 20), { count });
    reportRatio(figure, `${name}: a run with ${messages} messages stored / with 10`);
    await large.close();
  }
  const many = await filled(open(), {
    users: open() instanceof InMemory ? 10_000 : 2_000,
    messages: 2,
  });
  const figure = await ratio(runOn(many, "user-7", 20), runOn(small, "user-0", 20), { count });
  reportRatio(figure, `${name}: a run with thousands of users / with one`);
  await many.close();
  await small.close();
}

async function bytesPerMessage(users: number): Promise<string> {
  const path = newFile();
  const memory = new SqliteMemory(path);
  const session = { sessionId: randomUUID() };
  const ids = Array.from({ length: users }, () => `user-${randomUUID()}`);
  for (let index = 0; index < 500; index += 1)
    await memory.add(RUN, ids[index % users] as string, session);
  await memory.close();
  const bytes = readdirSync(folder)
    .filter((name) => join(folder, name) === path)
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return (bytes / 1_000 - TEXT.length).toFixed(0);
}

/** A read of the whole session, for the first time or again / the rows alone, parsed. */
async function sqliteRead(messages: number, { again }: { again: boolean }): Promise<number> {
  const path = newFile();
  const memory = await filled(new SqliteMemory(path), { users: 1, messages });
  const bare = new SqliteConnection(await loadEngine(), path, { readMode: "shared" });
  const rows = "SELECT message_id, run_id, created_at, body_json AS json FROM messages";
  const bareRead = async () =>
    bare.all<{ json: string }>(rows).map(({ json }) => JSON.parse(json) as unknown);
  // A window is kept for one limit, so reads with two in turn are all first ones.
  let calls = 0;
  const read = async () =>
    memory.read("user-0", { limit: again ? messages : messages + (calls++ % 2) });
  const result = await ratio(read, bareRead, { count: 20 });
  await bare.close();
  await memory.close();
  return result;
}

try {
  for (const history of isShort ? [0, 200] : [0, 200, 2_000])
    reportRatio(
      await inMemoryRun(history),
      `InMemory: a run / a bare Map with a queue, ${history} messages`,
    );
  await flatness("InMemory", () => new InMemory(), 1_000);
  reportRatio(await sqliteRun(), "SqliteMemory: a run / a bare transaction of the same bytes");
  for (const messages of [20, 200, 1_000]) {
    const bare = `of ${messages} messages / a bare SELECT`;
    reportRatio(await sqliteRead(messages, { again: false }), `SqliteMemory: a first read ${bare}`);
    reportRatio(
      await sqliteRead(messages, { again: true }),
      `SqliteMemory: a repeated read ${bare}`,
    );
  }
  await flatness("SqliteMemory", () => new SqliteMemory(newFile()), 20);
  for (const users of [1, 10, 100])
    console.log(
      `bytes on disk beyond the text per message, ${users} users: ${await bytesPerMessage(users)}`,
    );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
