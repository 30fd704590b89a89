import { describe, expect, it } from "vitest";
import { userMessage } from "../../src/messages.js";
import type { ModelEvent, ModelRequest } from "../../src/models/model.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";

const asking = (text: string): ModelRequest => ({ messages: [userMessage(text)] });

async function eventsOf(
  model: ScriptedModel,
  request = asking("Hi"),
  { signal } = new AbortController(),
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of model.stream(request, { signal })) events.push(event);
  return events;
}

describe("ScriptedModel", () => {
  it("follows its steps: a text, a whole answer, a function", async () => {
    const model = new ScriptedModel([
      "Hello",
      { text: ["a", "b"], toolCalls: [{ name: "x", arguments: { n: 1 } }, { name: "y" }] },
      ({ messages }) => `You said ${messages.at(-1)?.content}`,
    ]);
    expect(await eventsOf(model)).toEqual([
      { type: "text-delta", text: "Hello" },
      { type: "finish", reason: "stop" },
    ]);
    expect(await eventsOf(model)).toEqual([
      { type: "text-delta", text: "a" },
      { type: "text-delta", text: "b" },
      { type: "tool-call", id: "call-1", name: "x", arguments: '{"n":1}' },
      { type: "tool-call", id: "call-2", name: "y", arguments: "{}" },
      { type: "finish", reason: "tool-calls" },
    ]);
    expect((await eventsOf(model, asking("Ho")))[0]).toEqual({
      type: "text-delta",
      text: "You said Ho",
    });
    model.assertDone();
  });

  it("sends the finish reason, the usage and broken arguments as they were scripted", async () => {
    const usage = { inputTokens: 3, outputTokens: 4 };
    const toolCalls = [{ id: "z", name: "x", arguments: "{broken" }];
    const model = new ScriptedModel([{ toolCalls, reason: "length", usage }]);
    expect(await eventsOf(model)).toEqual([
      { type: "tool-call", id: "z", name: "x", arguments: "{broken" },
      { type: "finish", reason: "length", usage },
    ]);
  });

  it("throws a scripted error, at once or after some text", async () => {
    const model = new ScriptedModel([new Error("no"), { text: "so far", error: new Error("cut") }]);
    await expect(eventsOf(model)).rejects.toThrow("no");
    const stream = model.stream(asking("Hi"), new AbortController());
    expect((await stream.next()).value).toEqual({ type: "text-delta", text: "so far" });
    await expect(stream.next()).rejects.toThrow("cut");
  });

  it("keeps deep copies of its requests", async () => {
    const model = new ScriptedModel(() => "ok");
    const request = { messages: [{ role: "user" as const, content: "before" }] };
    await eventsOf(model, request);
    if (request.messages[0]) request.messages[0].content = "after";
    expect(model.requests).toEqual([asking("before")]);
  });

  it("fails beyond its script, and quotes the message it got", async () => {
    const model = new ScriptedModel(["only"]);
    await eventsOf(model);
    await expect(eventsOf(model, asking("More?"))).rejects.toThrow(
      /Call 2 has no step in a script of 1; .*"More\?"/,
    );
    expect(() => model.assertDone()).toThrow("1 steps were scripted, but there were 2 calls.");
  });

  it("reports unused steps", () => {
    expect(() => new ScriptedModel(["a", "b"]).assertDone()).toThrow("2 steps");
  });

  it("stops with the signal's reason, even in a step that never answers", async () => {
    const controller = new AbortController();
    const model = new ScriptedModel(() => new Promise<string>(() => {}));
    const reply = eventsOf(model, asking("Hi"), controller);
    controller.abort(new Error("enough"));
    await expect(reply).rejects.toThrow("enough");
    await expect(eventsOf(model, asking("Hi"), controller)).rejects.toThrow("enough");
    expect(model.requests).toHaveLength(1);
  });

  it("pairs a thousand overlapping calls with their own replies, whatever the delays", async () => {
    let seed = 1;
    const delay = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % 4;
    };
    const model = new ScriptedModel(({ messages }) => messages.at(-1)?.content ?? "", { delay });
    const calls = Array.from({ length: 1_000 }, (_, n) => eventsOf(model, asking(`call ${n}`)));
    const replies = (await Promise.all(calls)).map(([first]) => first);
    expect(replies).toEqual(
      Array.from({ length: 1_000 }, (_, n) => ({ type: "text-delta", text: `call ${n}` })),
    );
  });
});
