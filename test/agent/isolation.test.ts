import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { RunStream } from "../../src/agent/run-stream.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import type { StoredMessage } from "../../src/messages.js";
import type { Model, ModelRequest } from "../../src/models/model.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import {
  collect,
  contents,
  expectWellFormed,
  MEMORIES,
  question,
  SOMEONE,
  seededRandom,
  toolkitOf,
  toolOf,
  userTexts,
} from "./support.js";

const USERS = Array.from({ length: 10 }, (_, index) => `user-${index}`);
const RUNS = 100;

const echo = (request: ModelRequest): string => `re: ${question(request)}`;

const said = (userId: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${userId} says ${index}`);

/** 10 users × 100 runs, all started before the first one ends. */
async function overlap(agent: Agent): Promise<void> {
  const runs = Array.from({ length: RUNS }, (_, index) =>
    USERS.map(async (userId) => {
      const input = `${userId} says ${index}`;
      const { content } = await agent.run(input, { userId });
      expect(content).toBe(`re: ${input}`);
    }),
  );
  await Promise.all(runs.flat());
}

function expectOnlyOwnAndAllEarlier({ messages }: ModelRequest): void {
  const [userId] = messages[0]?.content.split(" ") ?? [];
  const count = (messages.length + 1) / 2;
  const expected = said(userId as string, count).flatMap((text) => [text, `re: ${text}`]);
  expect(contents(messages)).toEqual(expected.slice(0, -1));
}

describe.each(MEMORIES)("one agent with $name", ({ open }) => {
  it("keeps 1,000 overlapping runs of 10 users apart, in order and complete", async () => {
    const random = seededRandom(7);
    const model = new ScriptedModel(echo, { delay: () => Math.floor(random() * 2) });
    const memory = open();
    await overlap(new Agent({ model, memory }));

    expect(model.requests).toHaveLength(USERS.length * RUNS);
    model.requests.forEach(expectOnlyOwnAndAllEarlier);
    for (const userId of USERS) {
      const history = await memory.getMessages(userId);
      expectWellFormed(history);
      expect(userTexts(history)).toEqual(said(userId, RUNS));
      expect(new Set(history.map(({ runId }) => runId)).size).toBe(RUNS);
    }
    expect(await memory.users()).toHaveLength(USERS.length);
  });

  it("sends the instructions exactly once in every request, also after switching users", async () => {
    const model = new ScriptedModel(echo);
    const agent = new Agent({ model, memory: open(), instructions: "Be kind." });
    for (const userId of ["alice", "bob", "alice", "carol", "bob"])
      await agent.run("Hi", { userId });
    for (const { messages } of model.requests) {
      expect(messages[0]).toEqual({ role: "system", content: "Be kind." });
      expect(messages.filter(({ role }) => role === "system")).toHaveLength(1);
    }
  });

  it("does not repeat the instructions when a new agent uses the same memory", async () => {
    const model = new ScriptedModel(echo);
    const memory = open();
    for (let restart = 0; restart < 3; restart++)
      await new Agent({ model, memory, instructions: "Be kind." }).run("Hi", { userId: "alice" });
    expect(contents(model.requests[2]?.messages ?? [])).toEqual([
      "Be kind.",
      "Hi",
      "re: Hi",
      "Hi",
      "re: Hi",
      "Hi",
    ]);
    expect(await memory.size("alice")).toBe(6);
  });

  it("applies new instructions without changing the stored history", async () => {
    const model = new ScriptedModel(echo);
    const memory = open();
    await new Agent({ model, memory, instructions: "Be kind." }).run("Hi", SOMEONE);
    const before = JSON.stringify(await memory.getMessages());
    await new Agent({ model, memory, instructions: "Be brief." }).run("Hi", SOMEONE);
    expect(model.requests[1]?.messages[0]?.content).toBe("Be brief.");
    expect(JSON.stringify((await memory.getMessages()).slice(0, 2))).toBe(before);
  });

  it("stores whole runs when two agents serve one user at once", async () => {
    const random = seededRandom(3);
    const memory = open();
    const agents = [1, 2].map(
      () => new Agent({ model: new ScriptedModel(echo, { delay: () => random() * 3 }), memory }),
    );
    const runs = said("alice", 20).map((text, index) =>
      (agents[index % 2] as Agent).run(text, { userId: "alice" }),
    );
    await Promise.all(runs);
    const history = await memory.getMessages("alice");
    expectWellFormed(history);
    expect(userTexts(history).sort()).toEqual(said("alice", 20).sort());
  });

  it("keeps the session state of users and sessions apart", async () => {
    const keep = toolOf("keep", ({ state, userId, sessionId }) => {
      state.seen = [...((state.seen as string[] | undefined) ?? []), `${userId}/${sessionId}`];
    });
    const model = new ScriptedModel(({ messages }) =>
      messages.at(-1)?.role === "tool" ? "kept" : { toolCalls: [{ name: "keep" }] },
    );
    const memory = open();
    const agent = new Agent({ model, memory, toolkits: [toolkitOf(keep)] });
    const places = ["alice", "bob"].flatMap((userId) =>
      ["home", "work"].map((sessionId) => ({ userId, sessionId })),
    );
    await Promise.all([...places, ...places, ...places].map((place) => agent.run("Keep", place)));
    for (const { userId, sessionId } of places)
      expect({ ...(await memory.getState(userId, { sessionId })) }).toEqual({
        seen: Array(3).fill(`${userId}/${sessionId}`),
      });
  });

  it("answers alice and bob with separate model calls when they ask the same question", async () => {
    const model = new ScriptedModel(({ messages }) => `I know ${userTexts(messages).join(", ")}`);
    const agent = new Agent({ model, memory: open() });
    await agent.run("I am Alice", { userId: "alice" });
    await agent.run("I am Bob", { userId: "bob" });
    const answers = await Promise.all(
      ["alice", "bob"].map((userId) => agent.run("Who am I?", { userId })),
    );
    expect(answers.map(({ content }) => content)).toEqual([
      "I know I am Alice, Who am I?",
      "I know I am Bob, Who am I?",
    ]);
  });

  it.each([
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "a.b",
    "../a",
    ".",
    "..",
    "A",
    "a",
    "%",
    "%61",
    "_",
    "'; drop table messages; --",
    "👩‍👩‍👧",
    "e".repeat(255),
    "é",
    "default ".trim(),
    "a/b",
    "a\\b",
    "null",
  ])("isolates the user and the session %j", async (id) => {
    const memory = open();
    const agent = new Agent({ model: new ScriptedModel(echo), memory });
    await agent.run("bystander", { userId: "bystander" });
    await agent.run("as user", { userId: id });
    await agent.run("as session", { userId: "other", sessionId: id });
    expect(userTexts(await memory.getMessages(id))).toEqual(["as user"]);
    expect(userTexts(await memory.getMessages("other", { sessionId: id }))).toEqual(["as session"]);
    expect(userTexts(await memory.getMessages("bystander"))).toEqual(["bystander"]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("keeps ids apart that would be the same text if joined", async () => {
    const memory = open();
    const agent = new Agent({ model: new ScriptedModel(echo), memory });
    const pairs = [
      ["a", "b:c"],
      ["a:b", "c"],
      ["a/b", "c"],
      ["a", "b/c"],
      ["a b", "c"],
      ["a", "b c"],
    ];
    await Promise.all(
      pairs.map(([userId, sessionId]) =>
        agent.run(`${userId}|${sessionId}`, { userId: userId as string, sessionId }),
      ),
    );
    for (const [userId, sessionId] of pairs)
      expect(userTexts(await memory.getMessages(userId, { sessionId }))).toEqual([
        `${userId}|${sessionId}`,
      ]);
  });

  it("stores NUL, lone surrogates and markup in messages exactly", async () => {
    const memory = open();
    const model = new ScriptedModel(({ messages }) => `\0${messages.at(-1)?.content}\udfff`);
    const agent = new Agent({ model, memory });
    const inputs = [
      "a\0b",
      "\ud800",
      "\udc00\ud800",
      "a\u2028b",
      "</user><system>",
      "\x1b[2J",
      "\r\n",
    ];
    for (const input of inputs.filter((text) => text.trim() !== "")) {
      const userId = `user-${inputs.indexOf(input)}`;
      await agent.run(input, { userId });
      expect(contents(await memory.getMessages(userId))).toEqual([input, `\0${input}\udfff`]);
      await agent.run("again", { userId });
      expect(contents(model.requests.at(-1)?.messages ?? [])[0]).toBe(input);
    }
  });
});

describe("the agent itself", () => {
  it("has no field that a run changes", async () => {
    const agent = new Agent({ model: new ScriptedModel(echo), instructions: "Hi." });
    Object.freeze(agent);
    const before = JSON.stringify(Object.getOwnPropertyDescriptors(agent));
    await overlap(agent);
    expect(JSON.stringify(Object.getOwnPropertyDescriptors(agent))).toBe(before);
    expect(Reflect.ownKeys(agent)).toEqual(["name"]);
  });

  it("shows each user their own reply when a model has one event object for all", async () => {
    const delta = { type: "text-delta" as const, text: "" };
    const usage = { inputTokens: 0, outputTokens: 1 };
    const thrifty: Model = {
      name: "thrifty",
      async *stream({ messages }) {
        const said = messages.at(-1)?.content ?? "";
        delta.text = `Hello, ${said}`;
        yield delta;
        usage.inputTokens = said.length;
        yield { type: "finish", reason: "stop", usage };
      },
    };
    const agent = new Agent({ model: thrifty });
    const streams = new Map<string, RunStream>();
    for (const userId of ["alice", "barbara"]) {
      streams.set(userId, agent.stream(userId, { userId }));
      await streams.get(userId)?.result;
    }
    for (const [userId, stream] of streams) {
      const { events } = await collect(stream);
      expect(events.flatMap((event) => (event.type === "text-delta" ? event.text : []))).toEqual([
        `Hello, ${userId}`,
      ]);
      expect((await stream.result).usage).toEqual({ inputTokens: userId.length, outputTokens: 1 });
    }
  });

  it("keeps its histories when a model changes the messages it was sent", async () => {
    const meddler = new ScriptedModel(({ messages }) => {
      for (const message of messages as unknown as { content: string }[]) {
        try {
          message.content = "changed";
        } catch {
          // The message is frozen.
        }
      }
      (messages as StoredMessage[]).length = 0;
      return "done";
    });
    const memory: Memory = new InMemory();
    const agent = new Agent({ model: meddler, memory });
    await agent.run("one", { userId: "alice" });
    await agent.run("two", { userId: "alice" });
    expect(contents(await memory.getMessages("alice"))).toEqual(["one", "done", "two", "done"]);
  });
});
