import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { buildWriter, runsOf, runTogether, Writer } from "../support/memory-process.js";
import { ask, newDatabase } from "../support/postgres.js";
import { startPostgres } from "../support/postgres-server.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";
const NAMES = ["w1", "w2", "w3", "w4"];
const RUNS = 250;

/** What the counters of the user's row and of the session's say, and what is there. */
const COUNTS = `
  SELECT u.messages::int AS user, s.messages::int AS session, s.runs::int AS runs,
    (SELECT count(*)::int FROM agno_chat.messages) AS rows,
    (SELECT count(DISTINCT message_id)::int FROM agno_chat.messages) AS ids,
    (SELECT max(message_id)::int FROM agno_chat.messages) AS last
  FROM agno_chat.users u JOIN agno_chat.sessions s USING (user_id)`;

/** Every counter of a history that has so many runs of two messages, without a gap. */
const wholeCounts = (runs: number) => ({
  ...{ user: 2 * runs, session: 2 * runs, runs },
  ...{ rows: 2 * runs, ids: 2 * runs, last: 2 * runs },
});

beforeAll(buildWriter);

describe.skipIf(server === "")("several processes on one PostgreSQL database", () => {
  it("store 4 × 250 runs of one session whole, in order and without a gap", async () => {
    const store = await newDatabase(server);
    const memory = new PostgresMemory(store);
    onTestFinished(() => memory.close());
    const writers = NAMES.map((name) => new Writer({ store, user: "alice", name, count: RUNS }));
    await runTogether(writers);
    expect(await runsOf(memory, "alice")).toEqual(new Map(NAMES.map((name) => [name, RUNS])));
    expect(await memory.getState("alice")).toEqual(
      Object.fromEntries(NAMES.map((name) => [name, RUNS - 1])),
    );
    expect(await ask(store, COUNTS)).toEqual([wholeCounts(NAMES.length * RUNS)]);
  });

  it("lose no acknowledged run and store none twice when they are killed", async () => {
    const store = await newDatabase(server);
    const memory = new PostgresMemory(store);
    onTestFinished(() => memory.close());
    for (let round = 0; round < 6; round += 1) {
      const name = `w${round}`;
      const writer = new Writer({ store, user: "alice", name });
      await writer.ready();
      writer.start();
      await writer.waitForRuns(1 + 3 * round);
      await writer.kill();
      const runs = (await runsOf(memory, "alice")).get(name) ?? 0;
      expect(runs).toBeGreaterThanOrEqual(writer.acknowledged);
      expect((await memory.getState("alice"))[name]).toBe(runs - 1);
    }
    const stored = await memory.size("alice");
    expect(await ask(store, COUNTS)).toEqual([wholeCounts(stored / 2)]);
  });
});

/** A server that is given for the tests must not crash, and may be on another machine. */
const ownServer = process.env.AGNO_CHAT_TEST_POSTGRES === undefined && server !== "";

describe.runIf(ownServer && process.platform !== "win32")(
  "a PostgreSQL server that crashes",
  () => {
    it("loses no acknowledged run, stores none twice, and the writers go on", async () => {
      const own = await startPostgres();
      onTestFinished(() => own.stop());
      const store = await newDatabase(own.url);
      const memory = new PostgresMemory(store);
      onTestFinished(() => memory.close());
      const writers = ["w1", "w2"].map(
        (name) => new Writer({ store, user: "alice", name, count: 150 }),
      );
      await Promise.all(writers.map((writer) => writer.ready()));
      for (const writer of writers) writer.start();
      // Opening a database is not repeated, as a call on an open one is.
      for (const writer of writers) await writer.waitForRuns(1);
      for (let round = 1; round <= 3; round += 1) {
        await writers[0]?.waitForRuns(30 * round);
        // Until the server has recovered from the crash before, it lets nobody in.
        await vi.waitFor(() => crash(store), { timeout: 60_000 });
      }
      await Promise.all(writers.map((writer) => writer.waitForRuns()));
      expect(writers.map(({ acknowledged }) => acknowledged)).toEqual([150, 150]);
      expect(await runsOf(memory, "alice")).toEqual(
        new Map([
          ["w1", 150],
          ["w2", 150],
        ]),
      );
      expect(await ask(store, COUNTS)).toEqual([wholeCounts(300)]);
    });
  },
);

/** Kills a server process: the server ends every other connection, and recovers from its log. */
async function crash(store: string): Promise<void> {
  const backends = await ask<{ pid: number }>(store, BACKENDS);
  expect(backends).not.toEqual([]);
  for (const { pid } of backends) kill(pid);
}

/** The server processes of everybody else who is connected to this database. */
const BACKENDS = `SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;

/** Another kill may have ended it already. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ESRCH");
  }
}
