import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { openMemoryFile } from "../../src/memory/stores/sqlite/schema.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

const HOUR = 3_600_000;

const USERS = ["alice", "bob", "carol"];
const SESSIONS = ["default", "s1"];

const scope = fc.record({
  user: fc.constantFrom(...USERS),
  session: fc.constantFrom(...SESSIONS),
});

/** One operation before a run's read, or between its read and its commit; all within a day. */
const step = fc.oneof(
  { weight: 4, arbitrary: scope.map((at) => ({ kind: "add" as const, ...at })) },
  { weight: 3, arbitrary: scope.map((at) => ({ kind: "clear session" as const, ...at })) },
  { weight: 2, arbitrary: scope.map((at) => ({ kind: "clear user" as const, ...at })) },
  { weight: 1, arbitrary: scope.map((at) => ({ kind: "sweep" as const, ...at })) },
  { weight: 1, arbitrary: fc.constant({ kind: "clear all" as const, user: "", session: "" }) },
);

/** Whether a step clears the run's own user or session, given the sessions that exist before it. */
function clearsOwn(
  { kind, user, session }: { kind: string; user: string; session: string },
  existing: ReadonlySet<string>,
  own: { user: string; session: string },
): boolean {
  const ownExists = existing.has(`${own.user}/${own.session}`);
  const ownUserExists = SESSIONS.some((each) => existing.has(`${own.user}/${each}`));
  if (kind === "clear all") return existing.size > 0;
  if (kind === "clear session") return user === own.user && session === own.session && ownExists;
  if (kind === "clear user") return user === own.user && ownUserExists;
  // A sweep removes all users except one.
  return kind === "sweep" && user !== own.user && ownUserExists;
}

function expectExact(open: (now: () => number) => Memory, numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(scope, fc.array(step), fc.array(step), async (own, before, during) => {
      let now = 1_000 * HOUR;
      const memory = open(() => now);
      await memory.clearAll();
      const existing = new Set<string>();
      const apply = async (each: (typeof before)[number]): Promise<boolean> => {
        const { kind, user, session: sessionId } = each;
        const clears = clearsOwn(each, existing, own);
        now += 1_000;
        if (kind === "add") {
          await memory.add(userMessage("hi"), user, { sessionId });
          existing.add(`${user}/${sessionId}`);
        } else if (kind === "clear session") {
          await memory.clear(user, { sessionId });
          existing.delete(`${user}/${sessionId}`);
        } else if (kind === "clear user") {
          await memory.clear(user);
          for (const key of existing) if (key.startsWith(`${user}/`)) existing.delete(key);
        } else if (kind === "sweep") {
          await memory.removeInactive(0, { except: new Set([user]) });
          for (const key of existing) if (!key.startsWith(`${user}/`)) existing.delete(key);
        } else {
          await memory.clearAll();
          existing.clear();
        }
        return clears;
      };
      for (const each of before) await apply(each);
      const { generation } = await memory.read(own.user, { sessionId: own.session });
      let cleared = false;
      for (const each of during) if (await apply(each)) cleared = true;
      const commit = async () =>
        memory.add(userMessage("mine"), own.user, { sessionId: own.session, generation });
      if (cleared) await expect(commit()).rejects.toMatchObject({ code: "HISTORY_CLEARED" });
      else expect(await commit()).toHaveLength(1);
    }),
    { numRuns, seed: 3 },
  );
}

describe("a run in flight", () => {
  it("fails with HISTORY_CLEARED exactly if its own user or session was cleared", () =>
    expectExact((now) => new InMemory(Infinity, { now }), 2_000));

  it("does the same on SQLite", async () => {
    const path = temporaryFile();
    const clock = { now: () => 0 };
    const memory = new SqliteMemory(path, { now: () => clock.now() });
    await expectExact((now) => {
      clock.now = now;
      return memory;
    }, 60);
    await memory.close();
  });

  it("survives 30,000 clears of other users, but not its own", () => {
    const memory = new InMemory();
    const { generation } = memory.read("first");
    memory.add(userMessage("from another run"), "cleared");
    memory.clear("cleared");
    for (let index = 0; index < 30_000; index += 1) {
      memory.add(userMessage("hi"), `user-${index}`);
      memory.clear(`user-${index}`);
    }
    expect(() => memory.add(userMessage("hi"), "cleared", { generation })).toThrow("cleared");
    memory.add(userMessage("hi"), "first", { generation });
    expect(memory.size("first")).toBe(1);
  });

  it("survives a sweep that deletes 10,001 users from a file", async () => {
    const path = temporaryFile();
    const connection = await openMemoryFile(path);
    connection.exec(`
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 10001)
      INSERT INTO users SELECT n, 'user-' || n, 2, 2, 1, 1, 0 FROM numbers`);
    await connection.close();
    const memory = new SqliteMemory(path);
    const { generation } = await memory.read("first");
    expect(await memory.removeInactive(HOUR, { force: true })).toMatchObject({ users: 10_001 });
    await memory.add(userMessage("hi"), "first", { generation });
    expect(await memory.size("first")).toBe(1);
    const gone = memory.add(userMessage("hi"), "user-1", { generation });
    await expect(gone).rejects.toMatchObject({ code: "HISTORY_CLEARED" });
    await memory.close();
  });
});
