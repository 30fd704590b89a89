import { describe, expect, it } from "vitest";
import { Cancellation } from "../../src/abort.js";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import { RunQueue } from "../../src/agent/queue.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID, validateUserId } from "../../src/ids.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { RemoveInactiveOptions } from "../../src/memory/memory.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import {
  collect,
  failsWith,
  Gate,
  MEMORIES,
  question,
  SOMEONE,
  settled,
  toolkitOf,
  toolOf,
  userTexts,
} from "./support.js";

const numbers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index}`);

/** An agent whose model holds back the answer to "wait" until the gate is opened. */
function gatedAgent(options: Partial<AgentOptions> = {}) {
  const gate = new Gate();
  const model = new ScriptedModel(async (request) => {
    if (question(request) === "wait") await gate.opened;
    return "done";
  });
  const memory = new InMemory();
  const agent = new Agent({ model, memory, ...options });
  return { agent, gate, memory, model };
}

describe("runs of the same session", () => {
  it("execute in the order of the calls, whether run or streamed", async () => {
    const { agent, memory, gate } = gatedAgent();
    const runs = ["wait", ...numbers(50)].map(async (text, index) => {
      if (index % 2 === 0) await agent.run(text, SOMEONE);
      else await collect(agent.stream(text, SOMEONE));
    });
    gate.open();
    await Promise.all(runs);
    expect(userTexts(memory.getMessages())).toEqual(["wait", ...numbers(50)]);
  });

  it("join the queue when called, even if nobody reads them", async () => {
    const { agent, memory } = gatedAgent();
    const early = agent.stream("streamed first", SOMEONE);
    await agent.run("run second", SOMEONE);
    await collect(early);
    expect(userTexts(memory.getMessages())).toEqual(["streamed first", "run second"]);
  });

  it("continue when one of them fails", async () => {
    const model = new ScriptedModel(["one", new Error("broken"), "three"]);
    const agent = new Agent({ model });
    const outcomes = await Promise.allSettled(
      ["1", "2", "3"].map((text) => agent.run(text, SOMEONE)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(userTexts(model.requests[2]?.messages ?? [])).toEqual(["1", "3"]);
  });

  it("are refused with BUSY while 100 are waiting", async () => {
    const { agent, memory, gate } = gatedAgent();
    const runs = ["wait", ...numbers(100)].map((text) => agent.run(text, SOMEONE));
    await failsWith(agent.run("one too many", SOMEONE), "BUSY");
    await failsWith(collectOrThrow(agent.stream("one too many", SOMEONE)), "BUSY");
    await agent.run("somebody else", { userId: "bob" });
    gate.open();
    await Promise.all(runs);
    await agent.run("welcome", SOMEONE);
    expect(memory.size()).toBe(2 * 102);
  });

  it("leave the queue at once when they are cancelled while waiting", async () => {
    const { agent, memory, gate, model } = gatedAgent();
    const first = agent.run("wait", SOMEONE);
    const controller = new AbortController();
    const waiting = agent.run("cancelled", { ...SOMEONE, signal: controller.signal });
    const last = agent.run("last", SOMEONE);
    controller.abort();
    await failsWith(waiting, "CANCELLED");
    gate.open();
    await Promise.all([first, last]);
    expect(userTexts(memory.getMessages())).toEqual(["wait", "last"]);
    expect(model.requests).toHaveLength(2);
  });

  it("make room for others when they are cancelled while waiting", async () => {
    const { agent, gate } = gatedAgent();
    const controller = new AbortController();
    const first = agent.run("wait", SOMEONE);
    const waiting = numbers(100).map((text) =>
      agent.run(text, { ...SOMEONE, signal: controller.signal }),
    );
    controller.abort();
    await Promise.allSettled(waiting);
    const next = agent.run("next", SOMEONE);
    gate.open();
    await expect(Promise.all([first, next])).resolves.toHaveLength(2);
  });

  it("do not join the queue if their signal has already aborted", async () => {
    const { agent, gate, model } = gatedAgent();
    const first = agent.run("wait", SOMEONE);
    await failsWith(agent.run("late", { ...SOMEONE, signal: AbortSignal.abort() }), "CANCELLED");
    gate.open();
    await first;
    expect(model.requests).toHaveLength(1);
  });

  it("survive every order of cancelling and finishing", async () => {
    for (let cancelled = 0; cancelled < 2 ** 4; cancelled++) {
      const { agent, memory, gate } = gatedAgent();
      const controllers = numbers(4).map(() => new AbortController());
      const runs = controllers.map(({ signal }, index) =>
        agent.run(index === 0 ? "wait" : `${index}`, { ...SOMEONE, signal }),
      );
      await settled();
      controllers.forEach((controller, index) => {
        if (cancelled & (1 << index)) controller.abort();
      });
      gate.open();
      await Promise.allSettled(runs);
      const kept = ["wait", "1", "2", "3"].filter((_, index) => !(cancelled & (1 << index)));
      expect(userTexts(memory.getMessages())).toEqual(kept);
    }
  });
});

describe("runs of different users or sessions", () => {
  it("never wait for each other", async () => {
    const { agent, gate } = gatedAgent();
    const held = agent.run("wait", { userId: "alice", sessionId: "home" });
    await agent.run("go", { userId: "alice", sessionId: "work" });
    await agent.run("go", { userId: "bob", sessionId: "home" });
    gate.open();
    await held;
  });
});

describe("onBusy", () => {
  it("reject: refuses a run while one is under way", async () => {
    const { agent, gate, memory } = gatedAgent({ onBusy: "reject" });
    const first = agent.run("wait", SOMEONE);
    await failsWith(agent.run("second", SOMEONE), "BUSY");
    await agent.run("other session", { ...SOMEONE, sessionId: "work" });
    gate.open();
    await first;
    await agent.run("third", SOMEONE);
    expect(userTexts(memory.getMessages(undefined, { sessionId: "default" }))).toEqual([
      "wait",
      "third",
    ]);
  });

  it("cancel: cancels all earlier runs", async () => {
    const { agent, gate, memory } = gatedAgent({ onBusy: "cancel" });
    const bystander = agent.run("wait", { userId: "bob" });
    const replaced = ["wait", ...numbers(150)].map((text) => agent.run(text, SOMEONE));
    const outcomes = Promise.allSettled(replaced);
    await agent.run("newest", SOMEONE);
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "CANCELLED" } });
    gate.open();
    await bystander;
    expect(userTexts(memory.getMessages())).toEqual(["newest"]);
    expect(memory.size("bob")).toBe(2);
  });

  it("cancel: keeps what a stream had shown before it was replaced", async () => {
    const held = new Gate();
    const model = new ScriptedModel([
      { text: ["Once upon"], toolCalls: [{ name: "wait" }] },
      "Done.",
    ]);
    const wait = toolOf("wait", () => held.opened);
    const memory = new InMemory();
    const agent = new Agent({ model, memory, onBusy: "cancel", toolkits: [toolkitOf(wait)] });
    const story = collect(agent.stream("Tell a story", SOMEONE));
    await settled();
    await agent.run("Stop", SOMEONE);
    expect((await story).failure).toMatchObject({ code: "CANCELLED" });
    expect(memory.getMessages().map(({ content }) => content)).toEqual([
      "Tell a story",
      "Once upon",
      "Stop",
      "Done.",
    ]);
    expect(memory.getMessages()[1]).toMatchObject({ interrupted: true });
    held.open();
  });
});

describe("the queue", () => {
  it("keeps nothing of 10,000 users who are idle again", async () => {
    const queue = new RunQueue();
    const slots = numbers(10_000).map((userId) =>
      queue.join(validateUserId(userId), DEFAULT_SESSION_ID, new Cancellation(), "queue"),
    );
    expect(queue.activeUsers().size).toBe(10_000);
    for (const slot of slots) slot.leave();
    expect(queue.activeUsers().size).toBe(0);
  });

  it("tolerates a run that leaves twice", async () => {
    const queue = new RunQueue();
    const join = () => queue.join(DEFAULT_USER_ID, DEFAULT_SESSION_ID, new Cancellation(), "queue");
    const first = join();
    first.leave();
    const second = join();
    first.leave();
    const third = join();
    expect(second.turn).toBeUndefined();
    expect(third.turn).toBeDefined();
  });

  it("protects users with a run under way or waiting from removeInactive", async () => {
    const asked: RemoveInactiveOptions[] = [];
    class Watched extends InMemory {
      override removeInactive(maxAge: number, options: RemoveInactiveOptions = {}) {
        asked.push(options);
        return super.removeInactive(maxAge, options);
      }
    }
    let now = 0;
    const memory = new Watched(Infinity, { now: () => now });
    const { agent, gate } = gatedAgent({ memory });
    for (const userId of ["alice", "bob"]) await agent.run("Hi", { userId });
    const running = agent.run("wait", { userId: "alice" });
    now = 1_000;
    expect(await agent.removeInactive(500)).toEqual({ users: 1, sessions: 1, messages: 2 });
    gate.open();
    await running;
    expect(memory.size("alice")).toBe(4);
    now = 2_000;
    expect(await agent.removeInactive(500)).toEqual({ users: 1, sessions: 1, messages: 4 });
    expect(asked.map(({ except }) => [...(except ?? [])])).toEqual([["alice"], []]);
  });
});

describe.each(MEMORIES)("a tool, with $name,", ({ open }) => {
  /** An agent with a tool that runs the agent again, for the user named in its arguments. */
  function nestingAgent(script: readonly ScriptedStep[]) {
    const nested = toolOf("ask", async (_, args) => {
      const { userId, sessionId } = args as { userId: string; sessionId?: string };
      return (await agent.run("nested", { userId, sessionId })).content;
    });
    const model = new ScriptedModel(script);
    const agent: Agent = new Agent({ model, memory: open(), toolkits: [toolkitOf(nested)] });
    return { agent, model };
  }
  const ask = (args: object) => ({ toolCalls: [{ name: "ask", arguments: args }] });

  it("that runs its own session is refused, not deadlocked", async () => {
    const { agent, model } = nestingAgent([ask({ userId: "alice" }), "ok"]);
    const { messages } = await agent.run("go", { userId: "alice" });
    expect(messages[2]).toMatchObject({ role: "tool", isError: true });
    expect(messages[2]?.content).toContain("cannot run the session that called it");
    model.assertDone();
  });

  it("that does so from within another user's run is refused too", async () => {
    const { agent, model } = nestingAgent([
      ask({ userId: "bob" }),
      ask({ userId: "alice" }),
      "bob is done",
      "alice is done",
    ]);
    const { content, messages } = await agent.run("go", { userId: "alice" });
    expect(content).toBe("alice is done");
    expect(messages[2]).toMatchObject({ content: "bob is done" });
    expect(model.requests[2]?.messages.at(-1)).toMatchObject({ role: "tool", isError: true });
    model.assertDone();
  });

  it("can run another session of its user", async () => {
    const { agent } = nestingAgent([ask({ userId: "alice", sessionId: "work" }), "inner", "outer"]);
    const { messages } = await agent.run("go", { userId: "alice" });
    expect(messages[2]).toMatchObject({ role: "tool", content: "inner" });
    expect(messages[2]).not.toHaveProperty("isError");
  });

  it("can run its own session once its call is over", async () => {
    let later: (() => Promise<unknown>) | undefined;
    const model = new ScriptedModel([{ toolCalls: [{ name: "plan" }] }, "planned", "later"]);
    const plan = toolOf("plan", ({ userId }) => {
      const gate = new Gate();
      const run = gate.opened.then(() => agent.run("later", { userId }));
      later = () => {
        gate.open();
        return run;
      };
    });
    const memory = open();
    const agent: Agent = new Agent({ model, memory, toolkits: [toolkitOf(plan)] });
    await agent.run("go", { userId: "alice" });
    await later?.();
    expect(userTexts(await memory.getMessages("alice"))).toEqual(["go", "later"]);
  });
});

async function collectOrThrow(stream: Parameters<typeof collect>[0]): Promise<void> {
  const { failure } = await collect(stream);
  if (failure) throw failure;
}
