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

/** What happens between the read and the commit of a run; within a day. */
const step = fc.oneof(
  { weight: 4, arbitrary: scope.map((at) => ({ kind: "add" as const, ...at })) },
  { weight: 3, arbitrary: scope.map((at) => ({ kind: "clear session" as const, ...at })) },
  { weight: 2, arbitrary: scope.map((at) => ({ kind: "clear user" as const, ...at })) },
  { weight: 1, arbitrary: scope.map((at) => ({ kind: "sweep" as const, ...at })) },
  { weight: 1, arbitrary: fc.constant({ kind: "clear all" as const, user: "", session: "" }) },
);

/** Whether something of the session is deleted by a step, given what is there before it. */
function deletes(
  { kind, user, session }: { kind: string; user: string; session: string },
  there: ReadonlySet<string>,
  own: { user: string; session: string },
): boolean {
  const ownIsThere = there.has(`${own.user}/${own.session}`);
  const ownUserIsThere = SESSIONS.some((each) => there.has(`${own.user}/${each}`));
  if (kind === "clear all") return there.size > 0;
  if (kind === "clear session") return user === own.user && session === own.session && ownIsThere;
  if (kind === "clear user") return user === own.user && ownUserIsThere;
  // A sweep of everyone idle but one user.
  return kind === "sweep" && user !== own.user && ownUserIsThere;
}

function expectExact(open: (now: () => number) => Memory, numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(scope, fc.array(step), fc.array(step), async (own, before, during) => {
      let now = 1_000 * HOUR;
      const memory = open(() => now);
      await memory.clearAll();
      const there = new Set<string>();
      const apply = async (each: (typeof before)[number]): Promise<boolean> => {
        const { kind, user, session: sessionId } = each;
        const ends = deletes(each, there, own);
        now += 1_000;
        if (kind === "add") {
          await memory.add(userMessage("hi"), user, { sessionId });
          there.add(`${user}/${sessionId}`);
        } else if (kind === "clear session") {
          await memory.clear(user, { sessionId });
          there.delete(`${user}/${sessionId}`);
        } else if (kind === "clear user") {
          await memory.clear(user);
          for (const key of there) if (key.startsWith(`${user}/`)) there.delete(key);
        } else if (kind === "sweep") {
          await memory.removeInactive(0, { except: new Set([user]) });
          for (const key of there) if (!key.startsWith(`${user}/`)) there.delete(key);
        } else {
          await memory.clearAll();
          there.clear();
        }
        return ends;
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
  it("ends with HISTORY_CLEARED exactly when its own user or session was cleared", () =>
    expectExact((now) => new InMemory(Infinity, { now }), 2_000));

  it("does so on SQLite too", async () => {
    const path = temporaryFile();
    const clock = { now: () => 0 };
    const memory = new SqliteMemory(path, { now: () => clock.now() });
    await expectExact((now) => {
      clock.now = now;
      return memory;
    }, 60);
    await memory.close();
  });

  it("is not ended by 30,000 clears of others, and still by its own", () => {
    const memory = new InMemory();
    const { generation } = memory.read("first");
    memory.add(userMessage("of another run"), "cleared");
    memory.clear("cleared");
    for (let index = 0; index < 30_000; index += 1) {
      memory.add(userMessage("hi"), `user-${index}`);
      memory.clear(`user-${index}`);
    }
    expect(() => memory.add(userMessage("hi"), "cleared", { generation })).toThrow("cleared");
    memory.add(userMessage("hi"), "first", { generation });
    expect(memory.size("first")).toBe(1);
  });

  it("is not ended when a sweep takes 10,001 users of a file", async () => {
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
