import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";

/** Everything on disk: the file and its write-ahead log, free pages included. */
const bytesOnDisk = (path: string): Buffer =>
  Buffer.concat(readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name))));

/** How often each marker such as `text-3-77` is on disk; the first number is the user's. */
function wordsOnDisk(path: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of bytesOnDisk(path)
    .toString("latin1")
    .matchAll(/(text|answer|name|session|key|value)-\d+-\d*/g))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const isOnDisk = (path: string, text: string): boolean => bytesOnDisk(path).includes(text);

async function fileOfThree(path: string, now?: () => number): Promise<SqliteMemory> {
  const memory = new SqliteMemory(path, now === undefined ? {} : { now });
  for (const user of ["user-one", "user-two", "user-three"])
    for (let index = 0; index < 60; index += 1)
      await memory.add(userMessage(`${user} said ${"something private ".repeat(20)}`), user, {
        sessionId: `session-of-${user}`,
        state: { [`key-of-${user}`]: `state-of-${user}` },
      });
  return memory;
}

describe("a cleared history", () => {
  it("is gone from the disk soon after", async () => {
    const path = temporaryFile();
    let now = 0;
    const memory = await fileOfThree(path, () => now);
    const isGone = (user: string) =>
      vi.waitFor(() => expect(isOnDisk(path, user)).toBe(false), { timeout: 60_000 });
    expect(isOnDisk(path, "user-one")).toBe(true);
    await memory.clear("user-one", { sessionId: "session-of-user-one" });
    await isGone("user-one");
    await memory.clear("user-two");
    await isGone("user-two");
    expect(await memory.size("user-three")).toBe(60);
    now += 10_000;
    await memory.removeInactive(5_000);
    await isGone("user-three");
    expect(isOnDisk(path, "private")).toBe(false);
    await memory.add(userMessage("something new"), "user-four");
    await memory.clearAll();
    await isGone("something new");
    await memory.close();
  });

  it("is gone from the disk when the memory is closed", async () => {
    const path = temporaryFile();
    const memory = await fileOfThree(path);
    await memory.clear("user-one");
    await memory.close();
    expect(isOnDisk(path, "user-one")).toBe(false);
    expect(isOnDisk(path, "user-two")).toBe(true);
  });

  it("is cleaned up by the next process if this one could not", async () => {
    const path = temporaryFile();
    const memory = await fileOfThree(path);
    const reader = new SqliteConnection(await loadEngine(), path);
    reader.exec("BEGIN; SELECT count(*) FROM messages");
    await memory.clear("user-one");
    await memory.close();
    expect(isOnDisk(path, "user-one")).toBe(true);
    reader.exec("COMMIT");
    await reader.close();
    const next = new SqliteMemory(path);
    await next.size("user-two");
    await next.close();
    expect(isOnDisk(path, "user-one")).toBe(false);
  });

  it("causes no clean-up if it was empty", async () => {
    const path = temporaryFile();
    const memory = await fileOfThree(path);
    await memory.close();
    const before = statSync(path).ino;
    const erasedIn = async () => {
      const connection = new SqliteConnection(await loadEngine(), path);
      const row = connection.get("SELECT erased, cleaned FROM upkeep");
      await connection.close();
      return row;
    };
    const again = new SqliteMemory(path);
    await again.clear("nobody");
    await again.clear("user-one", { sessionId: "none" });
    await again.close();
    expect(await erasedIn()).toEqual({ erased: 0, cleaned: 0 });
    expect(statSync(path).ino).toBe(before);
  });
});

describe("in a file too large to rewrite at once", () => {
  const USERS = 40;
  const RUNS = 3_000;

  /** Runs of all users in random order and of all sizes, each with unique markers. */
  async function largeFile(path: string): Promise<SqliteMemory> {
    const memory = new SqliteMemory(path);
    const below = numbersFrom(7);
    const adding = [];
    for (let run = 0; run < RUNS; run += 1) {
      const user = below(USERS);
      const question = userMessage(`text-${user}-${run} ${"lorem ".repeat(below(250))}`);
      const value = () => `value-${user}-${run} ${"ipsum ".repeat(below(30))}`;
      const keys = [0, 0, 0, 0].map(() => `key-${user}-${below(400)}`);
      adding.push(
        memory.add([question, assistantMessage(`answer-${user}-${run}`)], `name-${user}-`, {
          sessionId: `session-${user}-${below(3)}`,
          state: Object.fromEntries(keys.map((key) => [key, value()])),
        }),
      );
    }
    // Messages far larger than a page; the first alone makes the file a large one.
    adding.push(memory.add(userMessage("amet ".repeat(1_000_000)), `name-${USERS - 1}-`));
    adding.push(memory.add(userMessage("dolor ".repeat(20_000)), "name-0-"));
    await Promise.all(adding);
    return memory;
  }

  it("a cleared history is gone too, and no message is on disk twice", async () => {
    const path = temporaryFile();
    const memory = await largeFile(path);
    const last = USERS - 1;
    const everythingOf = async (from: SqliteMemory) => [
      await from.getMessages(`name-${last}-`),
      await from.getState(`name-${last}-`, { sessionId: `session-${last}-0` }),
    ];
    const before = await everythingOf(memory);
    const left = Array.from({ length: USERS }, (_, user) => user);
    // The first round leaves so many blank rows that the other messages are moved together.
    for (const count of [24, 4]) {
      const cleared = left.splice(0, count);
      for (const user of cleared) await memory.clear(`name-${user}-`);
      await vi.waitFor(
        () => {
          const users = [...wordsOnDisk(path).keys()].map((word) => Number(word.split("-")[1]));
          expect(new Set(users)).toEqual(new Set(left));
        },
        { timeout: 60_000, interval: 300 },
      );
      expect(await everythingOf(memory)).toEqual(before);
    }
    await memory.close();
    const copied = [...wordsOnDisk(path)].filter(
      ([word, count]) => /^(text|answer)/.test(word) && count > 1,
    );
    expect(copied).toEqual([]);
    expect(isOnDisk(path, "dolor")).toBe(false);
    expect(statSync(path).size).toBeGreaterThan(5_000_000);
    const again = new SqliteMemory(path);
    expect(await everythingOf(again)).toEqual(before);
    expect(await again.users()).toHaveLength(left.length);
    await again.close();
  });
});

describe("a run of another user", () => {
  it("hardly waits while 100 users are cleared", async () => {
    const path = temporaryFile();
    const [clearing, other] = [new SqliteMemory(path), new SqliteMemory(path)];
    for (let user = 0; user < 100; user += 1) {
      const runs = Array.from({ length: 30 }, () => userMessage("lorem ipsum ".repeat(80)));
      await clearing.add(runs, `user-${user}`);
    }
    /** Stores runs of the other user until `work` is done; returns the longest time of one. */
    const longestDuring = async (work: () => Promise<unknown>): Promise<number> => {
      let longest = 0;
      let isDone = false;
      const done = work().finally(() => {
        isDone = true;
      });
      while (!isDone) {
        const begin = performance.now();
        await other.add([userMessage("hi"), assistantMessage("hello")], "other");
        longest = Math.max(longest, performance.now() - begin);
        await nextTurn();
      }
      await done;
      return longest;
    };
    const eachUser = (work: (user: string) => Promise<unknown>) => async () => {
      for (let user = 0; user < 100; user += 1) await work(`user-${user}`);
    };
    const baseline = await longestDuring(eachUser((user) => clearing.add(userMessage("hi"), user)));
    const longest = await longestDuring(async () => {
      await eachUser((user) => clearing.clear(user))();
      await vi.waitFor(() => expect(isOnDisk(path, "lorem")).toBe(false), { timeout: 60_000 });
    });
    expect(longest).toBeLessThan(200 + 5 * baseline);
    await clearing.close();
    await other.close();
  });
});
