import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { Deleted } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { userMessage } from "../../src/messages.js";
import { DemoModel } from "../../src/models/demo.js";
import { ask, newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { Wire } from "../support/wire.js";

const server = (await postgresUrl()) ?? "";

describe.skipIf(server === "")("a PostgreSQL memory on the wire", () => {
  let url: string;
  let wire: Wire;
  let memory: PostgresMemory;
  let other: PostgresMemory;

  beforeEach(async () => {
    url = await newDatabase(server);
    wire = await Wire.before(url);
    memory = new PostgresMemory(wire.url);
    other = new PostgresMemory(url);
    await memory.size("alice");
  });

  afterEach(async () => {
    await memory.close();
    await other.close();
    wire.close();
  });

  /** Loses the answers to the next statements, which the server has carried out. */
  const lose = (count: number): void => {
    let left = count;
    wire.loses = () => {
      left -= 1;
      return left >= 0;
    };
  };

  /** Loses the answer to the next statement, after something else has happened. */
  const loseOnce = (meanwhile: () => Promise<unknown>): void => {
    wire.loses = async () => {
      wire.loses = () => false;
      await meanwhile();
      return true;
    };
  };

  it("takes two statements for a run", async () => {
    const agent = new Agent({ model: new DemoModel(), memory });
    await agent.run("My name is Alice", { userId: "alice" });
    wire.statements = 0;
    const { content } = await agent.run("What's my name?", { userId: "alice" });
    expect(content).toContain("Alice");
    expect(wire.statements).toBe(2);
  });

  it("takes one statement for each other call", async () => {
    await memory.add(userMessage("hi"), "alice");
    wire.statements = 0;
    await memory.getMessages("alice");
    await memory.getState("alice");
    await memory.size("alice");
    await memory.sessions("alice");
    await memory.clear("alice");
    await memory.clearAll();
    expect(wire.statements).toBe(6);
  });

  it("stores messages once if the answers are lost", async () => {
    await memory.add({ ...userMessage("first"), runId: "first" }, "alice");
    lose(3);
    const [stored] = await memory.add({ role: "assistant", content: "second" }, "alice");
    expect(stored).toMatchObject({ id: 2, runId: "first", content: "second" });
    expect((await memory.getMessages("alice")).map(({ id }) => id)).toEqual([1, 2]);
    expect((await memory.read("alice")).total).toBe(2);
    expect(await memory.users()).toMatchObject([{ messages: 2, sessions: 1 }]);
  });

  it("replaces a run once if the answer is lost", async () => {
    await memory.add({ ...userMessage("old"), runId: "old" }, "alice");
    lose(1);
    const run = [{ ...userMessage("new"), runId: "new" }];
    await memory.add(run, "alice", { replaceRun: "old" });
    expect((await memory.getMessages("alice")).map(({ content }) => content)).toEqual(["new"]);
  });

  it("changes the state once if the answer is lost, even while others change it", async () => {
    await memory.add([], "alice", { state: { count: 1 } });
    loseOnce(() => other.add([], "alice", { state: { count: 3 } }));
    await memory.add([], "alice", { state: { count: 2 }, expected: { count: 1 } });
    expect((await memory.getState("alice")).count).toBe(3);
  });

  it("adds to a given total once if the answer is lost, even while others add", async () => {
    loseOnce(() => other.add(userMessage("later"), "alice"));
    const [stored] = await memory.add(userMessage("first"), "alice", { total: 0 });
    expect(stored).toMatchObject({ id: 1, content: "first" });
    expect((await memory.getMessages("alice")).map(({ id }) => id)).toEqual([1, 2]);
  });

  it("does not bring back what was cleared while its answer was lost", async () => {
    const { generation } = await memory.read("alice");
    let cleared: Deleted | undefined;
    loseOnce(async () => {
      cleared = await other.clear("alice");
    });
    const late = memory.add(userMessage("hi"), "alice", { generation });
    await expect(late).rejects.toMatchObject({ code: "HISTORY_CLEARED" });
    expect(cleared).toEqual({ messages: 1, sessions: 1 });
    expect(await memory.users()).toEqual([]);
  });

  it("reports what it deleted even if the answers are lost", async () => {
    const fill = async (): Promise<void> => {
      for (const user of ["alice", "bob"])
        for (const sessionId of ["one", "two"])
          await memory.add(userMessage("hi"), user, { sessionId });
    };
    await fill();
    lose(1);
    expect(await memory.clear("alice", { sessionId: "one" })).toEqual({ messages: 1, sessions: 1 });
    lose(1);
    expect(await memory.clear("alice")).toEqual({ messages: 1, sessions: 1 });
    await memory.clear("bob");
    await fill();
    lose(1);
    expect(await memory.clearAll()).toEqual({ users: 2, messages: 4, sessions: 4 });
    await fill();
    await ask(url, "UPDATE agno_chat.users SET last_activity = 0");
    const swept = memory.removeInactive(1_000);
    lose(3);
    expect(await swept).toEqual({ users: 2, messages: 4, sessions: 4 });
  });

  it("opens a database, and makes its schema, though the connection is lost meanwhile", async () => {
    const empty = await Wire.before(await newDatabase(server));
    let losses = 3;
    empty.loses = () => losses-- > 0;
    const opened = new PostgresMemory(empty.url);
    expect(await opened.size("alice")).toBe(0);
    expect(losses).toBeLessThan(0);
    await opened.close();
    empty.close();
  });

  it("keeps working after the server has ended every idle connection", async () => {
    await memory.add(userMessage("1"), "alice");
    await ask(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await memory.add(userMessage("2"), "alice");
    wire.cut();
    await memory.add(userMessage("3"), "alice");
    expect(await memory.size("alice")).toBe(3);
  });
});
