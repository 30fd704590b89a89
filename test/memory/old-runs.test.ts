import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assistantMessage,
  type Memory,
  type Snapshot,
  StoreMemory,
  systemMessage,
  userMessage,
} from "../../src/index.js";
import type { Store } from "../../src/memory/store.js";
import { InMemoryStore } from "../../src/memory/stores/in-memory/in-memory-store.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { PostgresStore } from "../../src/memory/stores/postgres/postgres-store.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { temporaryFile } from "../support/memory-file.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();
const database = server === undefined ? undefined : await newDatabase(server);
if (database !== undefined) await initPostgres(database);

const STORES: readonly (readonly [string, () => Store])[] = [
  ["in memory", () => new InMemoryStore(Infinity)],
  ["on SQLite", () => new SqliteStore(temporaryFile())],
  ...(database === undefined
    ? []
    : [["on PostgreSQL", () => new PostgresStore(database)] as const]),
];

const DAY = 86_400_000;

const steps = fc.array(
  fc.record({
    day: fc.integer({ min: 1, max: 6 }),
    sessionId: fc.constantFrom("default", "work"),
    kind: fc.constantFrom("run", "run", "run", "rule", "state"),
  }),
  { maxLength: 14 },
);

type Step = typeof steps extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

/** The steps, done by one user on the days they name. */
async function after(all: readonly Step[], store: Store) {
  const clock = { now: 0 };
  const memory: Memory = new StoreMemory(store, { now: () => clock.now });
  const user = randomUUID();
  for (const [index, { day, sessionId, kind }] of all.entries()) {
    clock.now = day * DAY;
    const messages = {
      run: [userMessage(`question ${index}`), assistantMessage(`answer ${index}`)],
      rule: [systemMessage(`rule ${index}`)],
      state: [],
    }[kind];
    const state = index % 3 === 0 || kind === "state" ? { [`key ${index}`]: index } : {};
    await memory.add(messages, user, { sessionId, state });
  }
  return { memory, user, clock };
}

/** What must be left of a session, and how much of it must be gone. */
async function expectedOf(memory: Memory, user: string, before: number) {
  let deleted = { messages: 0, sessions: 0 };
  const left = [];
  for (const { sessionId, lastActivity } of await memory.sessions(user)) {
    const messages = await memory.getMessages(user, { sessionId });
    const turns = messages.filter(({ role }) => role !== "system");
    const isNew = (runId: string) =>
      turns.some((turn) => turn.runId === runId && Date.parse(turn.createdAt) >= before);
    const { total, state } = await memory.read(user, { sessionId });
    const kept = messages.filter(({ role, runId }) => role === "system" || isNew(runId));
    const isWhole =
      Date.parse(lastActivity) < before || (kept.length === 0 && Object.keys(state).length === 0);
    deleted = {
      messages: deleted.messages + messages.length - (isWhole ? 0 : kept.length),
      sessions: deleted.sessions + (isWhole ? 1 : 0),
    };
    if (!isWhole) left.push(described(sessionId, { messages: kept, total, state }));
  }
  return { deleted, left: left.sort(byName) };
}

const described = (
  sessionId: string,
  { messages, total, state }: Pick<Snapshot, "messages" | "total" | "state">,
) => structuredClone({ sessionId, messages, total, state: { ...state } });

const byName = (one: { sessionId: string }, other: { sessionId: string }) =>
  one.sessionId < other.sessionId ? -1 : 1;

/** What is left, with the counts checked against the messages. */
async function leftOf(memory: Memory, user: string) {
  const left = [];
  for (const { sessionId, messages, runs, bytes } of await memory.sessions(user)) {
    const read = await memory.read(user, { sessionId });
    left.push(described(sessionId, read));
    const sizes = read.messages.map((message) => Buffer.byteLength(JSON.stringify(message)));
    expect({ messages, runs, bytes }).toEqual({
      messages: read.messages.length,
      runs: read.messages.filter(({ role }) => role === "user").length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
    });
  }
  const listed = (await memory.users()).find(({ userId }) => userId === user);
  expect(listed?.messages ?? 0).toBe(left.reduce((sum, { messages }) => sum + messages.length, 0));
  expect(listed?.sessions ?? 0).toBe(left.length);
  return left.sort(byName);
}

describe.each(STORES)("clearing old runs %s", (_, open) => {
  it("deletes exactly the whole runs that are older, and counts right", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 7 }), async (all, day) => {
        const { memory, user } = await after(all, open());
        const before = day * DAY;
        const { deleted, left } = await expectedOf(memory, user, before);
        expect(await memory.edits?.clearBefore(user, { before, dryRun: true })).toEqual(deleted);
        expect(await memory.edits?.clearBefore(user, { before })).toEqual(deleted);
        expect(await leftOf(memory, user)).toEqual(left);
        await memory.close();
      }),
      { numRuns: 40 },
    );
  });

  it("refuses a time that is none", async () => {
    const memory = new StoreMemory(open());
    for (const before of [-1, 1.5, Number.NaN, Infinity])
      await expect(
        (async () => memory.edits?.clearBefore("alice", { before }))(),
      ).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await memory.close();
  });
});

it("a small memory drops what is oldest, after old runs were deleted, too", async () => {
  const clock = { now: 0 };
  const memory = new StoreMemory(new InMemoryStore(6), { now: () => clock.now });
  const add = (text: string, sessionId: string) =>
    memory.add([userMessage(text), assistantMessage("ok")], "alice", { sessionId });
  for (const [day, text] of [
    [1, "one"],
    [3, "two"],
    [1, "three"],
  ] as const) {
    clock.now = day * DAY;
    add(text, day === 1 ? "default" : "work");
    clock.now = 4 * DAY;
    memory.add([], "alice", { sessionId: "default", state: { used: 1 } });
  }
  expect(memory.edits?.clearBefore("alice", { before: 2 * DAY })).toEqual({
    messages: 4,
    sessions: 0,
  });
  for (const text of ["four", "five", "six"]) add(text, "default");
  const kept = memory.getMessages("alice").filter(({ role }) => role === "user");
  expect(kept.map(({ content }) => content)).toEqual(["four", "five", "six"]);
  expect(memory.size("alice")).toBe(6);
});

it("old runs that are deleted are gone from the disk, and from the windows of others", async () => {
  const path = temporaryFile();
  const clock = { now: DAY };
  const store = () => new StoreMemory(new SqliteStore(path), { now: () => clock.now });
  const [memory, other] = [store(), store()];
  await memory.add([userMessage("regretted words")], "alice", { state: { note: "early note" } });
  await memory.add([userMessage("more words")], "alice", { state: { note: "later note" } });
  clock.now = 3 * DAY;
  await memory.add([userMessage("fresh words")], "alice", { state: { other: "fresh note" } });
  await memory.add([userMessage("words of bob")], "bob");
  expect((await other.read("alice")).messages).toHaveLength(3);
  await memory.edits?.clearBefore("alice", { before: 2 * DAY });
  expect((await other.read("alice")).messages).toHaveLength(1);
  await Promise.all([memory.close(), other.close()]);
  const folder = dirname(path);
  const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  for (const gone of ["regretted", "early note"]) expect(bytes.includes(gone)).toBe(false);
  for (const kept of ["fresh words", "fresh note", "later note", "words of bob"])
    expect(bytes.includes(kept)).toBe(true);
});
