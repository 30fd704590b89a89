import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { validateSessionId, validateUserId } from "../../src/ids.js";
import type { Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { openMemoryFile } from "../../src/memory/stores/sqlite/schema.js";
import { WindowCache } from "../../src/memory/stores/sqlite/window-cache.js";
import { assistantMessage, systemMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

function open(file: string): SqliteMemory {
  const memory = new SqliteMemory(file);
  onTestFinished(() => memory.close());
  return memory;
}

const run = (text: string) => [userMessage(text), assistantMessage(`re ${text}`)];

const textsOf = async (memory: Memory, userId: string, options = {}) =>
  (await memory.read(userId, options)).messages.map(({ content }) => content);

describe("a window that was read before", () => {
  test("shows what another connection has stored, cleared or replaced since", async () => {
    const file = temporaryFile();
    const [here, elsewhere] = [open(file), open(file)];
    await here.add(run("one"), "alice");
    expect(await textsOf(here, "alice")).toEqual(["one", "re one"]);
    const stored = await elsewhere.add(run("two"), "alice");
    expect(await textsOf(here, "alice")).toEqual(["one", "re one", "two", "re two"]);
    const replaceRun = stored[0]?.runId;
    await elsewhere.add(run("three"), "alice", { replaceRun });
    expect(await textsOf(here, "alice")).toEqual(["one", "re one", "three", "re three"]);
    await elsewhere.clear("alice");
    expect(await textsOf(here, "alice")).toEqual([]);
    await elsewhere.add(run("four"), "alice");
    expect(await textsOf(here, "alice")).toEqual(["four", "re four"]);
  });

  test("is not changed by who was given it", async () => {
    const memory = open(temporaryFile());
    await memory.add(run("one"), "alice");
    const { messages } = await memory.read("alice");
    (messages as unknown[]).length = 0;
    const [message] = (await memory.read("alice")).messages;
    expect(() => Object.assign(message as object, { content: "forged" })).toThrow(TypeError);
    expect(await textsOf(memory, "alice")).toEqual(["one", "re one"]);
  });

  test("is the same after any changes, by this connection and another, as without a cache", async () => {
    const users = ["alice", "bob", "Alice"];
    const sessions = ["default", "work"];
    const step = fc.record({
      what: fc.constantFrom(
        ...["run", "run", "run", "system", "replace"],
        ...["clear", "prune", "undo", "fork", "state", "unset", "run and state"],
      ),
      who: fc.constantFrom(...users),
      sessionId: fc.constantFrom(...sessions),
      limit: fc.constantFrom(0, 1, 4, Infinity),
      isElsewhere: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const file = temporaryFile();
        const memories = [new SqliteMemory(file), new SqliteMemory(file)] as const;
        for (const [number, { what, who, sessionId, limit, isElsewhere }] of steps.entries()) {
          const memory = memories[isElsewhere ? 1 : 0];
          const history = await memory.getMessages(who, { sessionId });
          const runId = history.findLast(({ role }) => role !== "system")?.runId;
          const add = (messages: Parameters<Memory["add"]>[0], options = {}) =>
            memory.add(messages, who, { sessionId, ...options });
          if (what === "run") await add(run(`${who} ${sessionId} ${number}`));
          if (what === "system") await add(systemMessage(`${who} ${number}`));
          if (what === "state") await add([], { state: { number } });
          if (what === "unset") await add([], { state: { number: undefined } });
          if (what === "run and state") await add(run(`${number}`), { state: { number } });
          if (what === "undo") await memory.edits?.undo(who, { sessionId });
          if (what === "fork" && runId)
            await memory.edits?.fork(who, { sessionId, to: `copy-${number}` });
          if (what === "replace" && runId) await add(run(`new ${number}`), { replaceRun: runId });
          if (what === "clear") await memory.clear(who, number % 2 === 0 ? { sessionId } : {});
          if (what === "prune") await memory.removeInactive(0, { force: true });
          const fresh = new SqliteMemory(file);
          for (const each of memories) {
            const now = await each.getMessages(who, { sessionId });
            const turns = now.filter(({ role }) => role !== "system");
            const wanted = new Set(limit === 0 ? [] : turns.slice(-limit));
            const expected = now.filter((one) => one.role === "system" || wanted.has(one));
            const read = await each.read(who, { sessionId, limit });
            expect(read.messages).toEqual(expected);
            expect(await fresh.read(who, { sessionId, limit })).toEqual(read);
          }
          await fresh.close();
        }
        for (const memory of memories) await memory.close();
      }),
      { numRuns: 25 },
    );
  });
});

describe("the cache of windows", () => {
  /** Users with a history of `characters` each, and a reader that counts what it loads. */
  async function filled(users: readonly string[], characters: number) {
    const file = temporaryFile();
    const memory = open(file);
    for (const user of users) await memory.add(userMessage("x".repeat(characters)), user);
    const connection = await openMemoryFile(file, { notice: () => {} });
    onTestFinished(() => connection.close());
    const load = vi.spyOn(connection, "allColumns");
    const ask = vi.spyOn(connection, "columns");
    const cache = new WindowCache(10_000);
    const read = (user: string, limit: number) => {
      const [userId, sessionId] = [validateUserId(user), validateSessionId("default")];
      return connection.read(
        () => cache.read(connection, userId, { sessionId, limit }),
        () => cache.known(connection, userId, { sessionId, limit }),
      );
    };
    /** Whether the messages had to be loaded. */
    const loads = async (user: string, limit = 10): Promise<boolean> => {
      load.mockClear();
      await read(user, limit);
      return load.mock.calls.length > 0;
    };
    /** How often SQLite was asked whether another connection has changed the file. */
    const asks = async (user: string, limit = 10): Promise<number> => {
      ask.mockClear();
      await read(user, limit);
      return ask.mock.calls.filter(([sql]) => sql === "PRAGMA data_version").length;
    };
    return { memory, cache, loads, asks };
  }

  test("loads a window once, and again only after a change or for another limit", async () => {
    const { memory, loads } = await filled(["alice"], 10);
    expect([await loads("alice"), await loads("alice")]).toEqual([true, false]);
    expect([await loads("alice", 5), await loads("alice", 5)]).toEqual([true, false]);
    await memory.add(userMessage("more"), "bob");
    expect([await loads("alice", 5), await loads("alice", 5)]).toEqual([true, false]);
  });

  test("asks once whether the file has changed, and again only if it has", async () => {
    const { memory, asks } = await filled(["alice"], 10);
    expect([await asks("alice"), await asks("alice")]).toEqual([1, 1]);
    expect([await asks("alice", 5), await asks("alice", 5)]).toEqual([1, 1]);
    await memory.add(userMessage("more"), "bob");
    expect([await asks("alice", 5), await asks("alice", 5)]).toEqual([2, 1]);
  });

  test("forgets the windows used longest ago when there are too many", async () => {
    const { loads } = await filled(["alice", "bob", "carol"], 4_000);
    for (const user of ["alice", "bob", "alice", "carol"]) await loads(user);
    expect(await loads("alice")).toBe(false);
    expect(await loads("carol")).toBe(false);
    expect(await loads("bob")).toBe(true);
  });

  test("does not keep a window that would leave no room for others", async () => {
    const { loads } = await filled(["alice"], 6_000);
    expect([await loads("alice"), await loads("alice")]).toEqual([true, true]);
  });

  test("has nothing left once it is cleared, as after every erasure", async () => {
    const { cache, loads } = await filled(["alice"], 10);
    await loads("alice");
    cache.clear();
    expect(await loads("alice")).toBe(true);
  });
});

test("after a clear, this process keeps none of the user's messages", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const isKept = async (message: WeakRef<object>): Promise<boolean> => {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    return message.deref() !== undefined;
  };
  const readFirst = async (memory: Memory) =>
    new WeakRef((await memory.read("alice")).messages[0] as object);
  const memory = open(temporaryFile());
  await memory.add(run("a secret"), "alice");
  const secret = await readFirst(memory);
  expect(await isKept(secret)).toBe(true);
  await memory.clear("alice");
  expect(await isKept(secret)).toBe(false);
});
