import { randomUUID } from "node:crypto";
import type pg from "pg";
import { describe, expect, it } from "vitest";
import { DEFAULT_SESSION_ID, validateUserId } from "../../src/ids.js";
import { scopeOf } from "../../src/memory/clear-log.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { writeArguments } from "../../src/memory/stores/postgres/rows.js";
import { userMessage } from "../../src/messages.js";
import { ask, connected, newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";

const ROW = {
  role: "user",
  content: "of somebody else",
  id: 0,
  runId: "run",
  sessionId: DEFAULT_SESSION_ID,
  createdAt: "2026-01-01T00:00:00.000Z",
} as const;

/** The call of a function of the schema, within a transaction of the test. */
const call = (client: pg.Client, name: string, values: readonly unknown[]): Promise<unknown> =>
  client.query(`SELECT * FROM agno_chat.${name}(${values.map((_, index) => `$${index + 1}`)})`, [
    ...values,
  ]);

const write = (client: pg.Client, user: string): Promise<unknown> => {
  const userId = validateUserId(user);
  const commit = {
    ...{ userId, sessionId: DEFAULT_SESSION_ID, messages: [ROW], newRunId: "run", time: 1 },
    ...{ state: [], expected: [], replaceRun: undefined, generation: undefined },
  };
  return call(
    client,
    "write_v1",
    writeArguments(commit, { commitId: randomUUID(), isRepeat: false }),
  );
};

const clear = (client: pg.Client, userId: string): Promise<unknown> =>
  call(client, "delete_v1", [userId, null, scopeOf(validateUserId(userId)), 1, randomUUID()]);

/** Until so many connections to this database wait for a lock. */
const waiting = (url: string, count: number): Promise<void> =>
  expect.poll(() => ask(url, WAITING), { interval: 20 }).toHaveLength(count) as Promise<void>;

const WAITING = `SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`;

describe.skipIf(server === "")("writes to a PostgreSQL memory at the same time", () => {
  for (const isolation of ["read committed", "repeatable read", "serializable"])
    it(`never restore what is cleared meanwhile, by default in ${isolation}`, async () => {
      const url = await newDatabase(server);
      const name = new URL(url).pathname.slice(1);
      await ask(url, `ALTER DATABASE ${name} SET default_transaction_isolation = '${isolation}'`);
      const memory = new PostgresMemory(url);
      await memory.add(userMessage("old"), "stored");
      for (const user of ["stored", "new"]) {
        const { generation } = await memory.read(user);
        await connected(url, async (client) => {
          await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
          if (user === "new") await write(client, user);
          await clear(client, user);
          const late = memory.add(userMessage("late"), user, { generation });
          const outcome = expect(late).rejects.toMatchObject({ code: "HISTORY_CLEARED" });
          await waiting(url, 1);
          await client.query("COMMIT");
          await outcome;
        });
        expect(await memory.size(user)).toBe(0);
      }
      expect(await memory.users()).toEqual([]);
      await memory.close();
    });

  it("are cleared too if the clear has to wait for them", async () => {
    const url = await newDatabase(server);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage("old"), "alice");
    await connected(url, async (client) => {
      await client.query("BEGIN");
      await write(client, "alice");
      const cleared = memory.clear("alice");
      await waiting(url, 1);
      await client.query("COMMIT");
      expect(await cleared).toEqual({ messages: 2, sessions: 1 });
    });
    expect(await memory.size("alice")).toBe(0);
    await memory.close();
  });

  it("keep their user if they come while a sweep waits", async () => {
    const url = await newDatabase(server);
    let now = 0;
    const memory = new PostgresMemory(url, { now: () => now });
    for (const user of ["alice", "bob"]) await memory.add(userMessage("old"), user);
    now = 10_000;
    await connected(url, async (client) => {
      await client.query("BEGIN");
      await client.query("UPDATE agno_chat.users SET last_activity = 9999 WHERE user_id = 'alice'");
      const removed = memory.removeInactive(1_000, { force: true });
      await waiting(url, 1);
      await client.query("COMMIT");
      expect(await removed).toEqual({ users: 1, sessions: 1, messages: 1 });
    });
    expect((await memory.users()).map(({ userId }) => userId)).toEqual(["alice"]);
    await memory.close();
  });

  it("make no other user wait, however many wait for one user", async () => {
    const url = await newDatabase(server);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage("old"), "alice");
    await connected(url, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT FROM agno_chat.users WHERE user_id = 'alice' FOR UPDATE");
      const adds = Array.from({ length: 100 }, (_, index) =>
        memory.add(userMessage(`${index}`), "alice"),
      );
      await waiting(url, 1);
      await memory.add(userMessage("hi"), "bob");
      expect((await memory.read("alice")).total).toBe(1);
      await waiting(url, 1);
      await client.query("COMMIT");
      await Promise.all(adds);
    });
    expect((await memory.read("alice")).total).toBe(101);
    await memory.close();
  });
});
