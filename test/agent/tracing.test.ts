import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { afterEach, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { AgnoChatError } from "../../src/errors.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import { toolkitOf, toolOf } from "./support.js";

const KINDS = ["run", "model-call", "tool-call"] as const;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

type Fields = Readonly<Record<string, unknown>>;

/** Collects every event, as it was when it was published. */
function listen(kinds: readonly (typeof KINDS)[number][] = KINDS) {
  const events: { readonly name: string; readonly fields: Fields; readonly trace: object }[] = [];
  for (const kind of kinds) {
    const channel = tracingChannel<unknown, Fields>(`agno-chat:${kind}`);
    const note = (phase: string) => (message: Fields) =>
      void events.push({ name: `${kind} ${phase}`, fields: { ...message }, trace: message });
    const subscribers = {
      start: note("start"),
      end: note("end"),
      asyncStart: note("asyncStart"),
      asyncEnd: note("asyncEnd"),
      error: note("error"),
    };
    channel.subscribe(subscribers);
    stops.push(() => void channel.unsubscribe(subscribers));
  }
  const named = (name: string) => events.filter((event) => event.name === name);
  return { events, named, of: (name: string) => named(name).map(({ fields }) => fields) };
}

const SECRET = "The combination is 4711";

/** An agent in whose every text the secret occurs. */
const agentOf = (script: ScriptedStep[]): Agent =>
  new Agent({
    name: "desk",
    model: new ScriptedModel(script),
    instructions: SECRET,
    toolkits: [
      toolkitOf(
        toolOf("look", () => SECRET),
        toolOf("fail", () => {
          throw new Error(SECRET);
        }),
      ),
    ],
  });

it("publishes the course of a run, its model calls and its tool calls, in order", async () => {
  const agent = agentOf([
    { toolCalls: [{ name: "look" }], usage: { inputTokens: 3, outputTokens: 1 } },
    { text: "Found.", usage: { inputTokens: 5, outputTokens: 2 } },
  ]);
  const heard = listen();
  const { runId } = await agent.run("Look", { userId: "alice", sessionId: "work" });
  const steps = ["run", "model-call", "tool-call", "model-call"];
  const started = heard.events.filter(({ name }) => name.endsWith(" start"));
  expect(started.map(({ name }) => name.replace(" start", ""))).toEqual(steps);
  const over = heard.events.filter(({ name }) => name.endsWith(" asyncEnd"));
  const ended = over.map(({ name }) => name.replace(" asyncEnd", ""));
  expect(ended).toEqual(["model-call", "tool-call", "model-call", "run"]);
  expect(heard.of("run start")).toEqual([
    { runId, userId: "alice", sessionId: "work", agent: "desk", model: "scripted" },
  ]);
  expect(heard.of("run asyncEnd")).toEqual([
    {
      ...heard.of("run start")[0],
      durationMs: expect.any(Number),
      finishReason: "stop",
      usage: { inputTokens: 8, outputTokens: 3 },
    },
  ]);
  expect(heard.of("model-call asyncEnd")).toMatchObject([
    { model: "scripted", finishReason: "tool-calls", usage: { inputTokens: 3, outputTokens: 1 } },
    { model: "scripted", finishReason: "stop", usage: { inputTokens: 5, outputTokens: 2 } },
  ]);
  expect(heard.of("tool-call asyncEnd")).toMatchObject([{ tool: "look", isError: false }]);
  expect(heard.events.filter(({ name }) => name.endsWith("error"))).toEqual([]);
});

it("gives the calls of a run the very object of its events, whoever else runs", async () => {
  const heard = listen();
  const agent = new Agent({ model: new ScriptedModel(() => "Hi.") });
  await Promise.all(["alice", "bob", "carol"].map((userId) => agent.run("Hi", { userId })));
  const runs = heard.named("run start").map(({ trace }) => trace);
  expect(new Set(runs).size).toBe(3);
  expect(new Set(heard.of("model-call asyncEnd").map(({ run }) => run))).toEqual(new Set(runs));
  expect(new Set(heard.named("run asyncEnd").map(({ trace }) => trace))).toEqual(new Set(runs));
});

it("publishes no text, whatever fails and whoever said it", async () => {
  const broken = new AgnoChatError("MODEL_NETWORK", SECRET, { cause: new Error(SECRET) });
  const agent = agentOf([
    { text: SECRET, toolCalls: [{ name: "look", id: SECRET, arguments: { at: SECRET } }] },
    { toolCalls: [{ name: SECRET }, { name: "fail" }] },
    SECRET,
    { text: SECRET, error: broken },
  ]);
  const heard = listen();
  await agent.run(SECRET, { userId: "alice" });
  await expect(agent.run(SECRET, { userId: "alice" })).rejects.toThrow(SECRET);
  expect(heard.events.length).toBeGreaterThan(20);
  expect(JSON.stringify(heard.events)).not.toContain("4711");
  expect(heard.of("tool-call asyncEnd")).toMatchObject([
    { tool: "look", isError: false },
    { tool: undefined, isError: true },
    { tool: "fail", isError: true },
  ]);
});

it("tells the error code of a failed run and model call, before they end", async () => {
  const heard = listen();
  const agent = agentOf([new AgnoChatError("MODEL_AUTH", "The key was refused.")]);
  await expect(agent.run("Hi", { userId: "alice" })).rejects.toThrow("refused");
  expect(heard.events.map(({ name }) => name)).toEqual([
    "run start",
    "model-call start",
    "model-call end",
    "run end",
    "model-call error",
    "model-call asyncStart",
    "model-call asyncEnd",
    "run error",
    "run asyncStart",
    "run asyncEnd",
  ]);
  const failed = { errorCode: "MODEL_AUTH", durationMs: expect.any(Number) };
  expect(heard.of("model-call error")).toMatchObject([failed]);
  expect(heard.of("run asyncEnd")).toMatchObject([failed]);
});

it("names a failure that is no error of ours INTERNAL", async () => {
  const heard = listen();
  const memory = new InMemory();
  memory.add = () => {
    throw new Error(SECRET);
  };
  const agent = new Agent({ model: new ScriptedModel(["Hi."]), memory });
  await expect(agent.run("Hi", { userId: "alice" })).rejects.toThrow(SECRET);
  expect(heard.of("run error")).toMatchObject([{ errorCode: "INTERNAL" }]);
  expect(heard.of("model-call error")).toEqual([]);
});

it("tells a cancelled run from one that failed", async () => {
  const heard = listen();
  const agent = agentOf([{ text: ["one ", "two "] }, "never"]);
  for await (const event of agent.stream("Count", { userId: "alice" }))
    if (event.type === "text-delta") break;
  expect(heard.of("run error")).toMatchObject([{ errorCode: "CANCELLED" }]);
});

it.each(KINDS)("publishes to whoever listens to %s alone", async (kind) => {
  const heard = listen([kind]);
  const agent = agentOf([{ toolCalls: [{ name: "look" }] }, "Found."]);
  await agent.run("Look", { userId: "alice" });
  expect(heard.of(`${kind} asyncEnd`)[0]).toMatchObject({ durationMs: expect.any(Number) });
  expect(new Set(heard.events.map(({ name }) => name.split(" ")[0]))).toEqual(new Set([kind]));
});

it("carries a store of the subscriber through everything that a run calls", async () => {
  const storage = new AsyncLocalStorage<string>();
  const channel = tracingChannel<string, { readonly userId: string }>("agno-chat:run");
  channel.start.bindStore(storage, ({ userId }) => `span of ${userId}`);
  stops.push(() => void channel.start.unbindStore(storage));
  const seen: unknown[] = [];
  const model = new ScriptedModel(() => {
    seen.push(storage.getStore());
    return "Hi.";
  });
  const agent = new Agent({ model });
  await Promise.all(["alice", "bob"].map((userId) => agent.run("Hi", { userId })));
  expect(seen).toEqual(["span of alice", "span of bob"]);
});

it("does nothing for runs while nobody listens, and nothing more once nobody does", async () => {
  const agent = agentOf(["one", "two", "three"]);
  await agent.run("Hi", { userId: "alice" });
  const heard = listen();
  await agent.run("Hi", { userId: "alice" });
  const count = heard.events.length;
  for (const stop of stops.splice(0)) stop();
  await agent.run("Hi", { userId: "alice" });
  expect(heard.events).toHaveLength(count);
});
