import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { RunEvent } from "../../src/agent/events.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { userMessage } from "../../src/messages.js";
import { DemoModel } from "../../src/models/demo.js";
import type { JsonSchema } from "../../src/models/model.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import { defineTool } from "../../src/tools/define-tool.js";

const PERSON = {
  type: "object",
  properties: { name: { type: "string" }, born: { type: "string", format: "date" } },
  required: ["name"],
  additionalProperties: false,
} as const;

const note = defineTool({
  name: "note",
  description: "Keeps a note.",
  parameters: { type: "object" },
  execute: (_, { state }) => {
    state.noted = true;
  },
});

function agentOf(...script: readonly ScriptedStep[]) {
  const memory = new InMemory();
  const model = new ScriptedModel(script);
  const toolkits = [{ name: "kit", tools: [note] }];
  const agent = new Agent({ model, memory, toolkits, instructions: "Be brief." });
  const ask = (replySchema: JsonSchema = PERSON) =>
    agent.run("Who?", { userId: "alice", replySchema });
  return { agent, ask, model, memory };
}

const kept = (memory: InMemory) => memory.getMessages("alice").map(({ content }) => content);

describe("a run with a reply schema", () => {
  it("gives the reply as a value, and stores it as the model wrote it", async () => {
    const { ask, memory } = agentOf('  {"name": "Alice"}\n');
    expect(await ask()).toMatchObject({
      content: '  {"name": "Alice"}\n',
      value: { name: "Alice" },
    });
    expect(kept(memory)).toEqual(["Who?", '  {"name": "Alice"}\n']);
  });

  it("tells the model the schema, in its instructions and as a field of the request", async () => {
    const { ask, model } = agentOf('{"name":"Alice"}');
    await ask();
    expect(model.requests[0]).toMatchObject({ replySchema: PERSON, tools: [{ name: "note" }] });
    expect(model.requests[0]?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
    const [{ content } = { content: "" }] = model.requests[0]?.messages ?? [];
    expect(content).toMatch(/^Be brief\.\n\nReply with JSON alone/);
    expect(content).toContain(JSON.stringify(PERSON));
  });

  it("tells it even if there are no other instructions, and only in that run", async () => {
    const model = new ScriptedModel(['{"name":"Alice"}', "Hello"]);
    const agent = new Agent({ model });
    await agent.run("Who?", { userId: "alice", replySchema: PERSON });
    expect(model.requests[0]?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(await agent.run("Hi", { userId: "alice" })).not.toHaveProperty("value");
    expect(JSON.stringify(model.requests[1])).not.toContain("Schema");
  });

  it("finds the JSON in a code block that is the whole reply", async () => {
    for (const text of ['```json\n{"name":"Alice"}\n```', '\n```\n{"name":"Alice"}```\n'])
      expect((await agentOf(text).ask()).value).toEqual({ name: "Alice" });
  });

  it.each([
    ["Alice", "it is not JSON"],
    ['{"name":', "it is not JSON"],
    ["```", "it is not JSON"],
    ["{}", "its root must have required property 'name'"],
    ['{"name":7}', "its name must be string"],
    ['{"name":"A","age":7}', 'its root must NOT have additional properties such as "age"'],
    ['{"name":"A","born":"yesterday"}', 'its born must match format "date"'],
    [{ text: '{"na', reason: "length" as const }, "it was cut at the model's token limit"],
  ])("asks once more after %j, and says why: %s", async (first, fault) => {
    const { ask, model, memory } = agentOf(first, '{"name":"Alice"}');
    expect((await ask()).value).toEqual({ name: "Alice" });
    const text = typeof first === "string" ? first : first.text;
    expect(model.requests[1]?.messages.slice(1)).toEqual([
      userMessage("Who?"),
      { role: "assistant", content: text },
      userMessage(
        `That reply does not fit the JSON Schema: ${fault}. Reply again, with JSON alone.`,
      ),
    ]);
    expect(kept(memory)).toEqual(["Who?", '{"name":"Alice"}']);
  });

  it("fails with MODEL_REPLY_UNFIT when that does not help, and stores nothing", async () => {
    const { ask, memory, model } = agentOf("Alice", '{"name":7}');
    await expect(ask()).rejects.toMatchObject({
      code: "MODEL_REPLY_UNFIT",
      message: "The reply of scripted does not fit the JSON Schema: its name must be string.",
      stored: false,
    });
    expect(model.requests).toHaveLength(2);
    expect(kept(memory)).toEqual([]);
  });

  it("counts the tokens of both replies", async () => {
    const [first, second] = [
      { inputTokens: 10, outputTokens: 1 },
      { inputTokens: 20, outputTokens: 2 },
    ];
    const { ask } = agentOf(
      { text: "no", usage: first },
      { text: '{"name":"Alice"}', usage: second },
    );
    expect((await ask()).usage).toEqual({ inputTokens: 30, outputTokens: 3 });
  });

  it("lets the model use tools before, and refuses a call when it is asked once more", async () => {
    const call = { toolCalls: [{ name: "note" }] };
    const { ask, memory } = agentOf(call, '{"name":"Alice"}');
    expect((await ask()).value).toEqual({ name: "Alice" });
    expect(memory.getState("alice")).toEqual({ noted: true });
    const again = agentOf("no", call);
    await expect(again.ask()).rejects.toThrow("it calls a tool instead of answering");
    expect(again.memory.getState("alice")).toEqual({});
  });

  it("shows in its stream that the text begins anew", async () => {
    const { agent } = agentOf("no", '{"name":"Alice"}');
    const events: RunEvent[] = [];
    for await (const event of agent.stream("Who?", { userId: "alice", replySchema: PERSON }))
      events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      "run-start",
      "text-delta",
      "reply-refused",
      "text-delta",
      "run-end",
    ]);
    expect(events[2]).toEqual({ type: "reply-refused", reason: "it is not JSON" });
  });

  it("stores nothing of a stream that is cancelled, since half of it fits nothing", async () => {
    const never = () => new Promise<never>(() => {});
    const { agent, memory } = agentOf('{"name":', never);
    for await (const event of agent.stream("Who?", { userId: "alice", replySchema: PERSON }))
      if (event.type === "reply-refused") break;
    expect(kept(memory)).toEqual([]);
  });

  it("is not held up by a pattern that backtracks catastrophically", async () => {
    const schema = { type: "object", properties: { a: { pattern: "^(a+)+$" } } };
    const slow = `{"a":"${"a".repeat(40)}!"}`;
    await expect(agentOf(slow, slow).ask(schema)).rejects.toThrow("it cannot be checked in time");
  });

  it("ends when it is cancelled while a reply is checked", async () => {
    const controller = new AbortController();
    const model = new ScriptedModel(() => {
      queueMicrotask(() => controller.abort());
      return '{"name":"Alice"}';
    });
    const { signal } = controller;
    const run = new Agent({ model }).run("Who?", { userId: "a", replySchema: PERSON, signal });
    await expect(run).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("a reply schema", () => {
  it("may be of draft-07", async () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "array",
      items: [{ const: 1 }, { const: 2 }],
      additionalItems: false,
    };
    expect((await agentOf("[1,2]").ask(schema)).value).toEqual([1, 2]);
    await expect(agentOf("[1,3]", "[1,2,3]").ask(schema)).rejects.toThrow(
      "its root must NOT have more than 2 items",
    );
  });

  it("is compiled once", async () => {
    const { ask } = agentOf("[1]", "[2]");
    const schema = { $id: "https://example.com/list", type: "array" };
    expect((await ask(schema)).value).toEqual([1]);
    expect((await ask(schema)).value).toEqual([2]);
  });

  it.each([
    [{ type: "strng" }, "type must be equal to one of the allowed values"],
    [{ type: "object", properties: [] }, "properties must be object"],
    [{ $ref: "#/nope" }, "can't resolve reference #/nope from id #"],
    [{ $schema: "http://json-schema.org/draft-03/schema#" }, "unknown draft"],
    [{ $async: true, type: "object" }, "$async"],
    [null as never, "not an object"],
    [true as never, "not an object"],
  ])("%j is refused before the model is asked", async (schema, said) => {
    const { ask, model, agent } = agentOf('{"name":"Alice"}');
    await expect(ask(schema)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(said),
    });
    expect(model.requests).toEqual([]);
    // The session is not held up.
    expect((await agent.run("Who?", { userId: "alice" })).content).toBe('{"name":"Alice"}');
  });

  it("is more than the demo model can keep to, and it says so", async () => {
    const run = new Agent({ model: new DemoModel() }).run("Hi", {
      userId: "alice",
      replySchema: PERSON,
    });
    await expect(run).rejects.toMatchObject({
      code: "MODEL_REPLY_UNFIT",
      message: "The demo model cannot reply in JSON.",
    });
  });

  it("that any JSON fits gives back every value", async () => {
    const anything = {};
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const text = JSON.stringify(value);
        expect((await agentOf(text).ask(anything)).value).toEqual(JSON.parse(text));
      }),
      { numRuns: 100 },
    );
  });
});
