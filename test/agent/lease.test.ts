import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import type { RunOutput } from "../../src/agent/events.js";
import { DEFAULT_SESSION_ID, validateUserId } from "../../src/ids.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Leases } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { DemoModel } from "../../src/models/demo.js";
import type { Model, ModelRequest } from "../../src/models/model.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { ask, newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { Wire } from "../support/wire.js";
import { collect, failsWith, Gate, userTexts } from "./support.js";

const server = (await postgresUrl()) ?? "";

/** A model whose first reply waits for the gate. */
class SlowModel implements Model {
  readonly name = "slow";
  readonly gate = new Gate();
  readonly asked = new Gate();
  readonly seen: ModelRequest[] = [];

  async *stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }) {
    this.seen.push(request);
    yield { type: "text-delta", text: "Well" } as const;
    this.asked.open();
    const cancelled = new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    await Promise.race([this.gate.opened, cancelled]);
    yield { type: "finish", reason: "stop" } as const;
  }
}

const ALICE = { userId: "alice" };

describe("an agent with leases on a memory without", () => {
  it("is refused at once", () => {
    expect(
      () => new Agent({ model: new DemoModel(), memory: new InMemory(), lease: true }),
    ).toThrow(expect.objectContaining({ code: "USAGE", hintId: "lease-store" }));
  });
});

describe.skipIf(server === "")("two servers with leases on one database", () => {
  let url: string;
  let wire: Wire;
  let memories: [PostgresMemory, PostgresMemory];

  beforeEach(async () => {
    url = await newDatabase(server);
    wire = await Wire.before(url);
    memories = [new PostgresMemory(wire.url), new PostgresMemory(url)];
    await Promise.all(memories.map((memory) => memory.size("alice")));
  });

  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(memories.map((memory) => memory.close()));
    wire.close();
  });

  const agentOf = (index: 0 | 1, options: Partial<AgentOptions> = {}) =>
    new Agent({ model: new DemoModel(), memory: memories[index], lease: true, ...options });

  const held = () =>
    ask<{ holder: string; left: number; next_holder: string | null }>(
      url,
      `SELECT holder, next_holder, extract(epoch FROM expires_at - clock_timestamp())::float8 AS left
       FROM agno_chat.leases`,
    );
  const expire = () =>
    ask(url, "UPDATE agno_chat.leases SET expires_at = clock_timestamp() - interval '1 s'");
  const untilFree = () => expect.poll(held).toEqual([]) as Promise<void>;
  const untilAwaited = () =>
    expect.poll(held).toMatchObject([{ next_holder: expect.any(String) }]) as Promise<void>;

  it("answer one user in order, the second seeing what the first has stored", async () => {
    const model = new SlowModel();
    const first = agentOf(0, { model }).run("first", ALICE);
    await model.asked.opened;
    const other = new SlowModel();
    other.gate.open();
    const second = agentOf(1, { model: other }).run("second", ALICE);
    await untilAwaited();
    expect(other.seen).toEqual([]);
    model.gate.open();
    await Promise.all([first, second]);
    expect(userTexts(other.seen[0]?.messages ?? [])).toEqual(["first", "second"]);
    await untilFree();
  });

  it("keep no run waiting for another user or session", async () => {
    const model = new SlowModel();
    const first = agentOf(0, { model }).run("first", ALICE);
    await model.asked.opened;
    await agentOf(1).run("My name is Bob", { userId: "bob" });
    await agentOf(1).run("My name is Alice", { ...ALICE, sessionId: "work" });
    model.gate.open();
    await first;
  });

  it("cannot be had from a memory that is closed", async () => {
    const { leases } = memories[1];
    await memories[1].close();
    const claim = { userId: validateUserId("alice"), sessionId: DEFAULT_SESSION_ID, holder: "1" };
    await expect(leases?.take(claim)).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });

  it("send two statements for a run", async () => {
    await agentOf(0).run("My name is Alice", ALICE);
    wire.statements = 0;
    const { content } = await agentOf(0).run("What's my name?", ALICE);
    expect(content).toContain("Alice");
    expect(wire.statements).toBe(2);
  });

  it("store a run once when the answers to its statements are lost", async () => {
    let lost = 0;
    const model = new ScriptedModel(() => "Hello.");
    wire.loses = () => {
      lost += 1;
      return lost % 2 === 1;
    };
    await agentOf(0, { model }).run("hi", ALICE);
    wire.loses = () => false;
    expect(lost).toBeGreaterThan(3);
    expect(await memories[1].size("alice")).toBe(2);
    await untilFree();
  });

  it("give the lease back when a run fails or is cancelled", async () => {
    const broken = new ScriptedModel([]);
    await expect(agentOf(0, { model: broken }).run("hi", ALICE)).rejects.toThrow();
    await untilFree();
    const [model, controller] = [new SlowModel(), new AbortController()];
    const run = agentOf(0, { model }).run("hi", { ...ALICE, signal: controller.signal });
    await model.asked.opened;
    controller.abort();
    await failsWith(run, "CANCELLED");
    await untilFree();
    expect(await memories[0].size("alice")).toBe(0);
  });

  it("let a run that waits be cancelled, and forget it", async () => {
    const model = new SlowModel();
    const first = agentOf(0, { model }).run("first", ALICE);
    await model.asked.opened;
    const controller = new AbortController();
    const second = agentOf(1).run("second", { ...ALICE, signal: controller.signal });
    await untilAwaited();
    controller.abort();
    await failsWith(second, "CANCELLED");
    await expect.poll(held).toMatchObject([{ next_holder: null }]);
    model.gate.open();
    await first;
    await untilFree();
  });

  it("free a user within the lease time when the holder is gone, and store nothing of it", async () => {
    const model = new SlowModel();
    const stream = agentOf(0, { model }).stream("lost", ALICE);
    await model.asked.opened;
    const [{ left = 99 } = {}] = await held();
    expect(left).toBeLessThanOrEqual(30);
    await expire();
    const { content } = await agentOf(1).run("My name is Alice", ALICE);
    expect(content).toContain("Alice");
    model.gate.open();
    const { failure } = await collect(stream);
    expect(failure).toMatchObject({
      code: "LEASE_LOST",
      stored: false,
      message: expect.stringMatching(/^The lease of this session of user "alice" ran out[^\n]+\.$/),
      hint: "Send the message again.",
    });
    expect(userTexts(await memories[1].getMessages("alice"))).toEqual(["My name is Alice"]);
  });

  it("renew a lease while the model is slow, and stop the model once it is lost", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const model = new SlowModel();
    const stream = agentOf(0, { model }).stream("slow", ALICE);
    await model.asked.opened;
    await ask(url, "UPDATE agno_chat.leases SET expires_at = clock_timestamp() + interval '1 s'");
    vi.advanceTimersByTime(10_000);
    await expect.poll(async () => (await held())[0]?.left).toBeGreaterThan(25);
    await expire();
    await agentOf(1).run("My name is Alice", ALICE);
    vi.advanceTimersByTime(10_000);
    expect((await collect(stream)).failure).toMatchObject({ code: "LEASE_LOST", stored: false });
    expect(await memories[1].size("alice")).toBe(2);
  });

  it("go on when a lease cannot be renewed for a while", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const model = new SlowModel();
    const run = agentOf(0, { model }).run("slow", ALICE);
    await model.asked.opened;
    const renew = vi.spyOn(memories[0].leases as Leases, "renew");
    renew.mockRejectedValueOnce(new Error("unreachable"));
    vi.advanceTimersByTime(10_000);
    model.gate.open();
    expect(await run).toMatchObject({ content: "Well" });
    expect(renew).toHaveBeenCalledOnce();
  });

  it("refuse a run at once with onBusy reject", async () => {
    const model = new SlowModel();
    const first = agentOf(0, { model }).run("first", ALICE);
    await model.asked.opened;
    await failsWith(agentOf(1, { onBusy: "reject" }).run("second", ALICE), "BUSY");
    model.gate.open();
    await first;
  });

  it("end a run with HISTORY_CLEARED when its user was cleared, but not one that waited", async () => {
    const model = new SlowModel();
    const [first, second] = [agentOf(0, { model }), agentOf(1)];
    const cleared = first.run("first", ALICE);
    await model.asked.opened;
    const waited = second.run("My name is Alice", ALICE);
    await untilAwaited();
    await second.forUser("alice").clear();
    await first.forUser("alice").clear();
    model.gate.open();
    await failsWith(cleared, "HISTORY_CLEARED");
    expect((await waited).content).toContain("Alice");
    await untilFree();
  });

  it("take turns, however many runs each has waiting", async () => {
    const order: number[] = [];
    const runs = ([0, 1] as const).flatMap((index) => {
      const agent = agentOf(index);
      return Array.from({ length: 20 }, async (_, run): Promise<RunOutput> => {
        const output = await agent.run(`${index}.${run}`, ALICE);
        order.push(index);
        return output;
      });
    });
    await Promise.all(runs);
    const changes = order.filter((index, position) => index !== order[position - 1]).length;
    // Whoever polled alone would wait until the other has run all of its own.
    expect(changes).toBeGreaterThan(4);
    expect(await memories[0].size("alice")).toBe(80);
  });

  it("leave no id of a user behind who is cleared after the holder was killed", async () => {
    const model = new SlowModel();
    const run = agentOf(0, { model }).run("lost", ALICE);
    await model.asked.opened;
    await expire();
    await memories[1].clear("bob");
    expect(await held()).toEqual([]);
    model.gate.open();
    await failsWith(run, "LEASE_LOST");
  });
});

it("a memory without leases refuses one", async () => {
  const lease = { userId: "alice", sessionId: "default", holder: "1", fence: 1 } as never;
  expect(() => new InMemory().add([], "alice", { lease })).toThrow(
    expect.objectContaining({ code: "USAGE" }),
  );
});
