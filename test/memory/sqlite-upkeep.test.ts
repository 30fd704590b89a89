import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";

/** Everything of the memory that is on disk: its file and its log, free pages included. */
const bytesOnDisk = (path: string): Buffer =>
  Buffer.concat(readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name))));

/** How often each marked word is on disk, such as `text-3-77`: the first number is the user's. */
function wordsOnDisk(path: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of bytesOnDisk(path)
    .toString("latin1")
    .matchAll(/(text|answer|name|session|key|value)-\d+-\d*/g))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const remains = (path: string, needle: string): boolean => bytesOnDisk(path).includes(needle);

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

describe("what was cleared", () => {
  it("is nowhere on disk soon after", async () => {
    const path = temporaryFile();
    let now = 0;
    const memory = await fileOfThree(path, () => now);
    const isGone = (user: string) =>
      vi.waitFor(() => expect(remains(path, user)).toBe(false), { timeout: 10_000 });
    expect(remains(path, "user-one")).toBe(true);
    await memory.clear("user-one", { sessionId: "session-of-user-one" });
    await isGone("user-one");
    await memory.clear("user-two");
    await isGone("user-two");
    expect(await memory.size("user-three")).toBe(60);
    now += 10_000;
    await memory.removeInactive(5_000);
    await isGone("user-three");
    expect(remains(path, "private")).toBe(false);
    await memory.add(userMessage("something new"), "user-four");
    await memory.clearAll();
    await isGone("something new");
    await memory.close();
  });

  it("is nowhere on disk once the memory is closed", async () => {
    const path = temporaryFile();
    const memory = await fileOfThree(path);
    await memory.clear("user-one");
    await memory.close();
    expect(remains(path, "user-one")).toBe(false);
    expect(remains(path, "user-two")).toBe(true);
  });

  it("is cleaned up by the next process when this one could not", async () => {
    const path = temporaryFile();
    const memory = await fileOfThree(path);
    const reader = new SqliteConnection(await loadEngine(), path);
    reader.exec("BEGIN; SELECT count(*) FROM messages");
    await memory.clear("user-one");
    await memory.close();
    expect(remains(path, "user-one")).toBe(true);
    reader.exec("COMMIT");
    await reader.close();
    const next = new SqliteMemory(path);
    await next.size("user-two");
    await next.close();
    expect(remains(path, "user-one")).toBe(false);
  });

  it("costs no clean-up when it was nothing", async () => {
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

describe("in a file too large to be rewritten at once", () => {
  const USERS = 40;
  const RUNS = 3_000;

  /** Runs of all users in any order, in bodies of all sizes, each with words found nowhere else. */
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
    // Messages far beyond a page; one of them makes the file a large one.
    adding.push(memory.add(userMessage("amet ".repeat(1_000_000)), `name-${USERS - 1}-`));
    adding.push(memory.add(userMessage("dolor ".repeat(20_000)), "name-0-"));
    await Promise.all(adding);
    return memory;
  }

  it("nothing of what was cleared is left either, and no copy of what was not", async () => {
    const path = temporaryFile();
    const memory = await largeFile(path);
    const last = USERS - 1;
    const everythingOf = async (from: SqliteMemory) => [
      await from.getMessages(`name-${last}-`),
      await from.getState(`name-${last}-`, { sessionId: `session-${last}-0` }),
    ];
    const before = await everythingOf(memory);
    const left = Array.from({ length: USERS }, (_, user) => user);
    // After the first round so few are left that their messages are moved together.
    for (const count of [24, 4]) {
      const leaving = left.splice(0, count);
      for (const user of leaving) await memory.clear(`name-${user}-`);
      await vi.waitFor(
        () => {
          const users = [...wordsOnDisk(path).keys()].map((word) => Number(word.split("-")[1]));
          expect(new Set(users)).toEqual(new Set(left));
        },
        { timeout: 15_000, interval: 300 },
      );
      expect(await everythingOf(memory)).toEqual(before);
    }
    await memory.close();
    const copied = [...wordsOnDisk(path)].filter(
      ([word, count]) => /^(text|answer)/.test(word) && count > 1,
    );
    expect(copied).toEqual([]);
    expect(remains(path, "dolor")).toBe(false);
    expect(statSync(path).size).toBeGreaterThan(5_000_000);
    const again = new SqliteMemory(path);
    expect(await everythingOf(again)).toEqual(before);
    expect(await again.users()).toHaveLength(left.length);
    await again.close();
  }, 60_000);
});

describe("a neighbour's run", () => {
  it("hardly waits while 100 users are cleared", async () => {
    const path = temporaryFile();
    const [clearing, neighbour] = [new SqliteMemory(path), new SqliteMemory(path)];
    for (let user = 0; user < 100; user += 1) {
      const runs = Array.from({ length: 30 }, () => userMessage("lorem ipsum ".repeat(80)));
      await clearing.add(runs, `user-${user}`);
    }
    /** The longest of the runs that the neighbour stores while the work is done, and until the file is clean. */
    const longestDuring = async (work: () => Promise<unknown>): Promise<number> => {
      let longest = 0;
      let isDone = false;
      const done = work().finally(() => {
        isDone = true;
      });
      while (!isDone) {
        const begin = performance.now();
        await neighbour.add([userMessage("hi"), assistantMessage("hello")], "neighbour");
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
      await vi.waitFor(() => expect(remains(path, "lorem")).toBe(false), { timeout: 15_000 });
    });
    expect(longest).toBeLessThan(200 + 5 * baseline);
    await clearing.close();
    await neighbour.close();
  }, 60_000);
});
