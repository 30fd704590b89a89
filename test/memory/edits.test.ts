import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { assistantMessage, InMemory, systemMessage, userMessage } from "../../src/index.js";
import type { Memory } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { MIGRATIONS } from "../../src/memory/stores/sqlite/schema.js";
import { temporaryFile } from "../support/memory-file.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();
const database = server === undefined ? undefined : await newDatabase(server);
if (database !== undefined) await initPostgres(database);

const MEMORIES: readonly (readonly [string, () => Memory])[] = [
  ["in memory", () => new InMemory()],
  ["on SQLite", () => new SqliteMemory(temporaryFile())],
  ...(database === undefined
    ? []
    : [["on PostgreSQL", () => new PostgresMemory(database)] as const]),
];

/** A user who is new, since one database serves every test. */
interface Mine {
  readonly memory: Memory;
  readonly user: string;
}

/** What a run or another commit does to the session. */
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom("run", "run", "run", "rule", "state", "replace"),
    state: fc.dictionary(
      fc.constantFrom("a", "b", "__proto__"),
      fc.oneof(fc.integer(), fc.constant(undefined)),
    ),
  }),
  { maxLength: 12 },
);

type Step = typeof steps extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

async function take({ memory, user }: Mine, { kind, state }: Step, index: number): Promise<void> {
  const runId = `run ${index}`;
  const last = (await memory.getMessages(user, { sessionId: "default" })).findLast(
    ({ role }) => role !== "system",
  );
  const messages =
    kind === "rule"
      ? [systemMessage(`rule ${index}`)]
      : [userMessage(`question ${index}`), assistantMessage(`answer ${index}`)].map((message) => ({
          ...message,
          runId,
        }));
  if (kind === "state") await memory.add([], user, { state });
  else
    await memory.add(messages, user, {
      state,
      ...(kind === "replace" && last !== undefined ? { replaceRun: last.runId } : {}),
    });
}

const shown = async ({ memory, user }: Mine): Promise<unknown> => {
  const { messages, state, total } = await memory.read(user);
  const [counts] = (await memory.sessions(user)).map(({ lastActivity: _, ...rest }) => rest);
  return structuredClone({
    messages,
    state: Object.entries(state).sort(),
    total,
    counts,
    size: await memory.size(user),
  });
};

const RUNS = 40;

describe.each(MEMORIES)("edits %s", (_, open) => {
  it("give a session back as it was before any number of its last runs", async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (before, after) => {
        const [memory, user] = [open(), randomUUID()];
        for (const [index, step] of before.entries()) await take({ memory, user }, step, index);
        // Nothing but whole runs, so that undoing them all undoes every step.
        const runs = after.filter(({ kind }) => kind === "run");
        const was = await shown({ memory, user });
        for (const [index, step] of runs.entries()) await take({ memory, user }, step, 100 + index);
        await memory.edits?.undo(user, { runs: Math.max(1, runs.length) });
        if (runs.length > 0) expect(await shown({ memory, user })).toEqual(was);
        await memory.close();
      }),
      { numRuns: RUNS },
    );
  });

  it("copy a session so that both can be taken back alike", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (before, runs) => {
        const [memory, user] = [open(), randomUUID()];
        await memory.add([userMessage("elsewhere")], user, { sessionId: "work" });
        for (const [index, step] of before.entries()) await take({ memory, user }, step, index);
        if ((await memory.sessions(user)).length < 2) return memory.close();
        await memory.edits?.fork(user, { to: "copy" });
        const sessionId = "copy";
        expect(await plain({ memory, user }, sessionId)).toEqual(
          await plain({ memory, user }, "default"),
        );
        await memory.edits?.undo(user, { sessionId, runs });
        await memory.edits?.undo(user, { runs });
        expect(await plain({ memory, user }, sessionId)).toEqual(
          await plain({ memory, user }, "default"),
        );
        await memory.close();
      }),
      { numRuns: RUNS },
    );
  });

  it("refuse what no session can have", async () => {
    const [memory, user] = [open(), randomUUID()];
    await memory.add([userMessage("hi")], user);
    for (const call of [
      () => memory.edits?.undo(user, { runs: 0 }),
      () => memory.edits?.undo(user, { runs: 1.5 }),
      () => memory.edits?.fork(user, { sessionId: "nothing", to: "copy" }),
    ])
      await expect(asPromise(call)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    for (const to of ["", "a\nb"])
      await expect(asPromise(() => memory.edits?.fork(user, { to }))).rejects.toMatchObject({
        code: "INVALID_SESSION_ID",
      });
    await expect(
      asPromise(() => memory.edits?.fork(user, { to: "default" })),
    ).rejects.toMatchObject({ code: "SESSION_EXISTS" });
    await expect(asPromise(() => memory.edits?.undo("a\nb"))).rejects.toMatchObject({
      code: "INVALID_USER_ID",
    });
    expect(await memory.size(user)).toBe(1);
    await memory.close();
    await expect(asPromise(() => memory.edits?.undo(user))).rejects.toMatchObject({
      code: "STORE_CLOSED",
    });
  });
});

const asPromise = async (call: () => unknown): Promise<unknown> => call();

const plain = async ({ memory, user }: Mine, sessionId: string): Promise<unknown> => {
  const { messages, state } = await memory.read(user, { sessionId });
  return {
    messages: messages.map(({ id: _, sessionId: __, ...rest }) => rest),
    state: Object.entries(state).sort(),
  };
};

it("runs that a small memory has dropped cannot be taken back, and the others can", async () => {
  const memory = new InMemory(4);
  for (let index = 0; index < 30; index += 1)
    memory.add([userMessage(`${index}`), assistantMessage("ok")], "alice", { state: { n: index } });
  expect(memory.edits?.undo("alice", { runs: 9 })).toEqual({ runs: 2, messages: 4 });
  expect({ ...memory.getState("alice") }).toEqual({ n: 27 });
});

it("what is taken back is gone from the disk", async () => {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  await memory.add([userMessage("keep this")], "alice", { state: { note: "first note" } });
  await memory.add([userMessage("regretted words")], "alice", { state: { note: "second note" } });
  await memory.edits?.undo("alice");
  await memory.close();
  const bytes = Buffer.concat(
    readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name))),
  );
  expect(bytes.includes("regretted")).toBe(false);
  expect(bytes.includes("second note")).toBe(false);
  expect(bytes.includes("first note")).toBe(true);
});

it("a memory file of an earlier version gives back what is said from now on", async () => {
  const path = temporaryFile();
  mkdirSync(dirname(path), { recursive: true });
  const old = new SqliteConnection(await loadEngine(), path);
  const before = MIGRATIONS.findIndex((step) => step.includes("CREATE TABLE state_changes"));
  for (const step of MIGRATIONS.slice(0, before)) old.exec(step);
  old.exec(`
    PRAGMA application_id = ${0x61676e6f}; PRAGMA user_version = ${before};
    INSERT INTO users VALUES (1, 'alice', 8, 2, 1, 1, 0);
    INSERT INTO sessions VALUES (1, 1, 'default', 0, 1, 1, 1, 10, 'run', 0);
    INSERT INTO messages VALUES (1, 1, 1, 0, 'run', 0, '{"role":"user","content":"old"}');
    INSERT INTO session_states VALUES (1, 1, '"n"', '1');`);
  await old.close();
  const memory = new SqliteMemory(path);
  await memory.add([userMessage("new")], "alice", { state: { n: 2 } });
  await expect(memory.edits?.undo("alice", { runs: 2 })).rejects.toThrow("is not known");
  expect(await memory.edits?.undo("alice")).toEqual({ runs: 1, messages: 1 });
  expect({ ...(await memory.getState("alice")) }).toEqual({ n: 1 });
  await memory.close();
});

it("undo and clearing old runs look at no message of another session on SQLite", async () => {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  await memory.add([userMessage("hi"), assistantMessage("yes")], "alice", { state: { n: 1 } });
  const statements = new Set<string>();
  for (const method of ["get", "run", "each"] as const) {
    const original = SqliteConnection.prototype[method] as (...args: unknown[]) => unknown;
    vi.spyOn(SqliteConnection.prototype, method).mockImplementation(function (
      this: SqliteConnection,
      sql: string,
      ...values: unknown[]
    ) {
      statements.add(sql);
      return original.call(this, sql, ...values) as never;
    });
  }
  await memory.edits?.undo("alice");
  await memory.add([userMessage("old")], "alice");
  await memory.add([userMessage("new"), systemMessage("rule")], "alice", { sessionId: "work" });
  await memory.edits?.clearBefore("alice", { before: Date.now() + 1 });
  vi.restoreAllMocks();
  await memory.close();
  const connection = new SqliteConnection(await loadEngine(), path);
  const plans = [...statements]
    .filter((sql) => /^\s*(SELECT|UPDATE)/.test(sql) && /message_id <=? /.test(sql))
    .flatMap((sql) => connection.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`))
    .filter(({ detail }) => /(SEARCH|SCAN) messages/.test(detail));
  await connection.close();
  expect(plans).not.toEqual([]);
  for (const { detail } of plans)
    expect(detail).not.toMatch(/\(user_key=\?( AND message_id[<>]\?)*\)/);
});
