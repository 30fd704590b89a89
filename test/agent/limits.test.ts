import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Limits, Memory, UserLimits } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { DemoModel } from "../../src/models/demo.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { Wire } from "../support/wire.js";
import { collect, failsWith, Gate, MEMORIES, toolkitOf } from "./support.js";

const server = (await postgresUrl()) ?? "";
const ALICE = { userId: "alice" };
const BOB = { userId: "bob" };

/** How much alice has used of each limit. */
async function used(memory: Memory, userId = "alice"): Promise<Record<string, number>> {
  const use = (await memory.limits?.use(userId, {})) ?? [];
  return Object.fromEntries(use.map(({ limit, used }) => [limit, used]));
}

const usage = { inputTokens: 10, outputTokens: 5 };

describe.each(MEMORIES)("an agent with limits on $name", ({ open }) => {
  it.each<[keyof Limits, string, number | undefined]>([
    ["requestsPerMinute", "RATE_LIMITED", 60],
    ["runsAtOnce", "BUSY", 1],
    ["tokensPerDay", "BUDGET", 86_400],
    ["bytesKept", "BUDGET", undefined],
  ])("refuses a run over %s before the model is asked", async (limit, code, atMost) => {
    const model = new ScriptedModel([]);
    const agent = new Agent({ model, memory: open(), limits: { [limit]: 0 } });
    const { events, failure } = await collect(agent.stream("hi", ALICE));
    expect(failure).toMatchObject({ code, stored: false, hint: expect.any(String) });
    const { retryAfter } = failure as { retryAfter?: number };
    if (atMost === undefined) expect(retryAfter).toBeUndefined();
    else expect(retryAfter).toBeLessThanOrEqual(atMost);
    expect(events).toEqual([]);
    expect(model.requests).toEqual([]);
  });

  it("counts the tokens of every reply of a run in the commit that stores it", async () => {
    const memory = open();
    const tool = {
      name: "look",
      description: "",
      parameters: { type: "object" },
      execute: () => "seen",
    };
    const model = new ScriptedModel([
      { toolCalls: [{ name: "look" }], usage },
      { text: "Done.", usage: { inputTokens: 20, outputTokens: 2 } },
    ]);
    const toolkits = [toolkitOf(tool)];
    const agent = new Agent({ model, memory, toolkits, limits: { tokensPerDay: 100 } });
    const settle = vi.spyOn(memory.limits as UserLimits, "settle");
    const { limits } = await agent.run("hi", ALICE);
    expect(limits).toEqual([{ limit: "tokensPerDay", used: 37, allowed: 100 }]);
    expect(await used(memory)).toMatchObject({ tokensPerDay: 37, runsAtOnce: 0 });
    expect(settle).not.toHaveBeenCalled();
  });

  it("counts an estimate for a model that reports no tokens", async () => {
    const memory = open();
    const agent = new Agent({ model: new ScriptedModel(() => "Hello there."), memory, limits: {} });
    const { limits } = await agent.run("My name is Alice", ALICE);
    expect(limits).toBeUndefined();
    expect((await used(memory)).tokensPerDay).toBeGreaterThan(5);
  });

  it("counts what a run that failed has spent, but no model that failed at once", async () => {
    const memory = open();
    const broken = { text: "Well", error: new Error("broken") };
    const model = new ScriptedModel([new Error("broken at once"), broken, { text: "", usage }]);
    const agent = new Agent({ model, memory, limits: { runsAtOnce: 1 } });
    await expect(agent.run("hi", ALICE)).rejects.toThrow();
    expect(await used(memory)).toMatchObject({ tokensPerDay: 0, runsAtOnce: 0 });
    await expect(agent.run("hi", ALICE)).rejects.toThrow();
    const { tokensPerDay = 0 } = await used(memory);
    expect(tokensPerDay).toBeGreaterThan(1);
    await failsWith(agent.run("hi", ALICE), "MODEL_BAD_RESPONSE");
    expect(await used(memory)).toMatchObject({ tokensPerDay: tokensPerDay + 15, runsAtOnce: 0 });
    expect(await memory.size("alice")).toBe(0);
  });

  it("counts a run that was interrupted once, whether or not its text is stored", async () => {
    const memory = open();
    const agent = new Agent({ model: new DemoModel({ delayMs: 5 }), memory, limits: {} });
    for await (const event of agent.stream("Tell me a long story", ALICE))
      if (event.type === "text-delta") break;
    const { tokensPerDay: first = 0 } = await used(memory);
    expect(first).toBeGreaterThan(0);
    const controller = new AbortController();
    const run = agent.run("Tell me a long story", { ...ALICE, signal: controller.signal });
    await expect.poll(() => memory.size("alice")).toBe(2);
    setImmediate(() => controller.abort());
    await failsWith(run, "CANCELLED");
    expect(await memory.size("alice")).toBe(2);
  });

  it("lets nobody use up what another user may use", async () => {
    const memory = open();
    const limits = { requestsPerMinute: 1, tokensPerDay: 15 };
    const model = new ScriptedModel(() => ({ text: "Hello.", usage }));
    const agent = new Agent({ model, memory, limits });
    await agent.run("hi", ALICE);
    await failsWith(agent.run("hi", ALICE), "BUDGET");
    expect(await used(memory, "bob")).toMatchObject({ requestsPerMinute: 0, tokensPerDay: 0 });
    await agent.run("hi", BOB);
  });

  it("holds a user to their own limits, also those set while the agent runs", async () => {
    const memory = open();
    const agent = new Agent({ model: new DemoModel(), memory, limits: {} });
    await agent.run("hi", ALICE);
    await memory.limits?.set("alice", { tokensPerDay: 1 });
    await failsWith(agent.run("hi", ALICE), "BUDGET");
    await agent.run("hi", BOB);
    await memory.limits?.set("alice", { tokensPerDay: 10_000 });
    await agent.run("hi", ALICE);
    expect(await memory.limits?.list()).toEqual([
      { userId: "alice", limits: { tokensPerDay: 10_000 } },
    ]);
    expect(await memory.limits?.remove("alice")).toBe(true);
  });

  it("asks a function for its limits with every run", async () => {
    let requestsPerMinute = 1;
    const model = new ScriptedModel(() => "Hello.");
    const agent = new Agent({ model, memory: open(), limits: () => ({ requestsPerMinute }) });
    await agent.run("hi", ALICE);
    await failsWith(agent.run("hi", ALICE), "RATE_LIMITED");
    requestsPerMinute = 2;
    await agent.run("hi", ALICE);
    await failsWith(agent.run("hi", ALICE), "RATE_LIMITED");
  });

  it("lets nobody spend more by clearing", async () => {
    const memory = open();
    const agent = new Agent({ model: new DemoModel(), memory, limits: { tokensPerDay: 1 } });
    await agent.run("hi", ALICE);
    await agent.forUser("alice").clear();
    await failsWith(agent.run("hi", ALICE), "BUDGET");
    await memory.clearAll();
    await failsWith(agent.run("hi", ALICE), "BUDGET");
  });

  it("keeps a run counted as under way for as long as it takes", async () => {
    const memory = open();
    const gate = new Gate();
    const model = new ScriptedModel(async () => {
      await gate.opened;
      return "Hello.";
    });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const renew = vi.spyOn(memory.limits as UserLimits, "renew");
    const agent = new Agent({ model, memory, limits: { runsAtOnce: 1 } });
    const run = agent.run("hi", ALICE);
    await expect.poll(() => model.requests).toHaveLength(1);
    renew.mockRejectedValueOnce(new Error("unreachable"));
    vi.advanceTimersByTime(20_000);
    expect(renew).toHaveBeenCalledTimes(2);
    await failsWith(agent.run("hi", { ...ALICE, sessionId: "work" }), "BUSY");
    gate.open();
    await run;
    vi.advanceTimersByTime(20_000);
    expect(renew).toHaveBeenCalledTimes(2);
  });

  it("fails as it would when the count cannot be kept", async () => {
    const memory = open();
    vi.spyOn(memory.limits as UserLimits, "settle").mockImplementation(() => {
      throw new Error("unreachable");
    });
    const agent = new Agent({ model: new ScriptedModel([""]), memory, limits: {} });
    await failsWith(agent.run("hi", ALICE), "MODEL_BAD_RESPONSE");
  });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("limits of an agent", () => {
  it("need a memory that counts, and are whole numbers", () => {
    const model = new DemoModel();
    const memory = new Proxy(new InMemory(), {
      get: (target, name) => (name === "limits" ? undefined : Reflect.get(target, name)),
    });
    const agentWith = (limits: Limits, on?: Memory) => () =>
      new Agent({ model, limits, memory: on ?? new InMemory() });
    expect(agentWith({}, memory)).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(agentWith({ tokensPerDay: -1 })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    expect(agentWith({ tokensPerDay: Infinity })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    expect(agentWith({ tokens: 1 } as Limits)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  it("start a new minute a minute after the first request, and a new day at midnight UTC", async () => {
    let now = Date.UTC(2026, 0, 1, 23, 59, 30);
    const memory = new InMemory(Infinity, { now: () => now });
    const model = new ScriptedModel(() => ({ text: "Hello.", usage }));
    const agent = new Agent({ model, memory, limits: { requestsPerMinute: 1, tokensPerDay: 15 } });
    await agent.run("hi", ALICE);
    await expect(agent.run("hi", ALICE)).rejects.toMatchObject({ code: "BUDGET", retryAfter: 30 });
    now += 30_000;
    await expect(agent.run("hi", ALICE)).rejects.toMatchObject({
      ...{ code: "RATE_LIMITED", retryAfter: 30 },
    });
    now += 30_000;
    await agent.run("hi", ALICE);
    expect(await used(memory)).toMatchObject({ requestsPerMinute: 1, tokensPerDay: 15 });
  });

  it("are counted for a run of a known id alone", () => {
    const { limits } = new InMemory();
    const admit = () => limits?.admit("alice", { runId: "run", limits: {} });
    expect(admit).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("cannot be asked of a memory that is closed", () => {
    const memory = new InMemory();
    memory.close();
    expect(() => memory.limits?.list()).toThrow(expect.objectContaining({ code: "STORE_CLOSED" }));
  });
});

describe.skipIf(server === "")("an agent with limits on a PostgreSQL database", () => {
  let wire: Wire;
  let memory: PostgresMemory;

  beforeEach(async () => {
    wire = await Wire.before(await newDatabase(server));
    memory = new PostgresMemory(wire.url);
    await memory.size("alice");
  });

  afterEach(async () => {
    await memory.close();
    wire.close();
  });

  it.each([
    [{}, false],
    [{ tokensPerDay: 1_000, runsAtOnce: 5 }, false],
    [{}, true],
    [{ tokensPerDay: 1_000, runsAtOnce: 5 }, true],
  ])("sends two statements for a run: limits %j, lease %s", async (limits, lease) => {
    const agent = new Agent({ model: new DemoModel(), memory, limits, lease });
    await agent.run("My name is Alice", ALICE);
    wire.statements = 0;
    const { content } = await agent.run("What's my name?", ALICE);
    expect(content).toContain("Alice");
    expect(wire.statements).toBe(2);
  });

  it.each([false, true])("counts a run once when answers are lost: lease %s", async (lease) => {
    const model = new ScriptedModel(() => ({ text: "Hello.", usage }));
    const limits = { requestsPerMinute: 3, runsAtOnce: 1 };
    const agent = new Agent({ model, memory, limits, lease });
    let lost = 0;
    wire.loses = () => {
      lost += 1;
      return lost % 2 === 1;
    };
    await agent.run("hi", ALICE);
    wire.loses = () => false;
    expect(lost).toBeGreaterThan(3);
    expect(await used(memory)).toMatchObject({
      ...{ requestsPerMinute: 1, runsAtOnce: 0, tokensPerDay: 15 },
    });
    expect(await memory.size("alice")).toBe(2);
  });

  it("gives the lease back when it refuses a run", async () => {
    const limits = { requestsPerMinute: 1 };
    const agent = new Agent({ model: new DemoModel(), memory, limits, lease: true });
    await agent.run("hi", ALICE);
    await failsWith(agent.run("hi", ALICE), "RATE_LIMITED");
    await new Agent({ model: new DemoModel(), memory, lease: true }).run("hi", ALICE);
  });

  it("does not count a run that is cancelled while it is admitted", async () => {
    const controller = new AbortController();
    const agent = new Agent({ model: new DemoModel(), memory, limits: { runsAtOnce: 1 } });
    const run = agent.run("hi", { ...ALICE, signal: controller.signal });
    setImmediate(() => controller.abort());
    await failsWith(run, "CANCELLED");
    await expect.poll(async () => (await used(memory)).runsAtOnce).toBe(0);
  });
});
