import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { RunOutput } from "../../src/agent/events.js";
import { RunStream } from "../../src/agent/run-stream.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { ModelEvent, ModelRequest } from "../../src/models/model.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import {
  collect,
  contents,
  expectWellFormed,
  Gate,
  MEMORIES,
  SOMEONE,
  settled,
  toolkitOf,
  toolOf,
} from "./support.js";

const unhandled: unknown[] = [];
const remember = (reason: unknown) => unhandled.push(reason);
beforeAll(() => void process.on("unhandledRejection", remember));
afterAll(async () => {
  await settled();
  process.off("unhandledRejection", remember);
  expect(unhandled).toEqual([]);
});

/** Shows two words, then waits for the abort. */
const endless = {
  name: "endless",
  async *stream(_: ModelRequest, { signal }: { signal: AbortSignal }): AsyncGenerator<ModelEvent> {
    yield { type: "text-delta", text: "one " };
    yield { type: "text-delta", text: "two " };
    await once(signal, "abort");
    throw signal.reason;
  },
};

describe("a stream", () => {
  it("has all events in order: start, text, calls, results, text, end", async () => {
    const model = new ScriptedModel([
      { text: ["Let me ", "see."], toolCalls: [{ name: "look" }] },
      { text: "Found.", usage: { inputTokens: 3, outputTokens: 1 } },
    ]);
    const agent = new Agent({ model, toolkits: [toolkitOf(toolOf("look", () => "a shell"))] });
    const { events, failure } = await collect(agent.stream("Look", { userId: "alice" }));
    expect(failure).toBeUndefined();
    const [start] = events;
    expect(events).toEqual([
      {
        type: "run-start",
        runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        userId: "alice",
        sessionId: "default",
      },
      { type: "text-delta", text: "Let me " },
      { type: "text-delta", text: "see." },
      { type: "tool-call", toolCallId: "call-1", name: "look", arguments: "{}" },
      {
        type: "tool-result",
        toolCallId: "call-1",
        name: "look",
        content: "a shell",
        isError: false,
        durationMs: expect.any(Number),
      },
      { type: "text-delta", text: "Found." },
      {
        type: "run-end",
        output: expect.objectContaining({
          content: "Found.",
          runId: start && "runId" in start ? start.runId : "",
        }),
      },
    ]);
  });

  it("passes on the retries of the model", async () => {
    const retry = { type: "retry", attempt: 1, delayMs: 5, reason: "429" } as const;
    const model = {
      name: "flaky",
      async *stream() {
        yield retry;
        yield { type: "finish", reason: "stop" } as const;
      },
    };
    const { events } = await collect(new Agent({ model }).stream("Hi", SOMEONE));
    expect(events[1]).toEqual(retry);
  });

  it("runs to its end even if nobody reads it", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: new ScriptedModel(["unread"]), memory });
    agent.stream("Hi", SOMEONE);
    await settled();
    expect(contents(memory.getMessages())).toEqual(["Hi", "unread"]);
  });

  it("does not end the process if it fails and nobody reads it", async () => {
    new Agent({ model: new ScriptedModel([new Error("broken")]) }).stream("Hi", SOMEONE);
    new Agent({ model: new ScriptedModel([]) }).stream("", SOMEONE);
    await settled();
    expect(unhandled).toEqual([]);
  });

  it("can be read long after it ended", async () => {
    const agent = new Agent({
      model: new ScriptedModel([{ text: ["a", "b"] }, new Error("broken")]),
    });
    const [good, bad] = [agent.stream("Hi", SOMEONE), agent.stream("Hi", SOMEONE)];
    await settled();
    expect((await collect(good)).events.map(({ type }) => type)).toEqual([
      "run-start",
      "text-delta",
      "text-delta",
      "run-end",
    ]);
    const { events, failure } = await collect(bad);
    expect(events.map(({ type }) => type)).toEqual(["run-start"]);
    expect(failure).toMatchObject({ code: "MODEL_BAD_RESPONSE" });
  });

  it("is not a thenable: awaiting it by mistake has no effect", async () => {
    const stream = new Agent({ model: new ScriptedModel(["Hello"]) }).stream("Hi", SOMEONE);
    expect("then" in stream).toBe(false);
    expect(await stream).toBe(stream);
    expect((await collect(stream)).events.at(-1)?.type).toBe("run-end");
  });

  it("reports an invalid call from the iterator, never from stream()", async () => {
    const agent = new Agent({ model: new ScriptedModel([]) });
    for (const [stream, code] of [
      [agent.stream(" ", SOMEONE), "INVALID_INPUT"],
      [agent.stream("Hi", { userId: "" }), "INVALID_USER_ID"],
      [agent.stream("Hi", { ...SOMEONE, sessionId: "" }), "INVALID_SESSION_ID"],
      [agent.stream("Hi", { ...SOMEONE, signal: AbortSignal.abort() }), "CANCELLED"],
    ] as const)
      expect(await collect(stream)).toMatchObject({ events: [], failure: { code } });
  });

  it("delays nobody if its reader is slow", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: new ScriptedModel([{ text: ["a", "b"] }, "second"]), memory });
    const iterator = agent.stream("slow", SOMEONE)[Symbol.asyncIterator]();
    await iterator.next();
    await agent.run("quick", SOMEONE);
    expect(contents(memory.getMessages())).toEqual(["slow", "ab", "quick", "second"]);
    expect((await iterator.next()).value).toEqual({ type: "text-delta", text: "a" });
  });

  it("allows several pending reads, as the iterator protocol does", async () => {
    const iterator = new Agent({ model: new ScriptedModel(["Hello"]) })
      .stream("Hi", SOMEONE)
      [Symbol.asyncIterator]();
    const reads = await Promise.all([1, 2, 3, 4].map(() => iterator.next()));
    expect(reads.map(({ value }) => value?.type)).toEqual([
      "run-start",
      "text-delta",
      "run-end",
      undefined,
    ]);
  });

  it("has the output in result, whether or not its events are read", async () => {
    const agent = new Agent({ model: new ScriptedModel(["first", "second"]) });
    expect(await agent.stream("Hi", SOMEONE).result).toMatchObject({ content: "first" });
    const stream = agent.stream("Hi", SOMEONE);
    const { events } = await collect(stream);
    expect(events.at(-1)).toEqual({ type: "run-end", output: await stream.result });
    await expect(agent.stream(" ", SOMEONE).result).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  it("reads 300,000 buffered events in linear time", async () => {
    const event = { type: "text-delta", text: "x" } as const;
    const stream = new RunStream(
      async (emit) => {
        for (let count = 0; count < 300_000; count++) emit(event);
        return {} as RunOutput;
      },
      () => {},
    );
    expect((await collect(stream)).events).toHaveLength(300_000);
  });
});

describe("leaving a stream", () => {
  it("with break cancels the run, and what was shown is stored by then", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: endless, memory });
    for await (const event of agent.stream("Count", SOMEONE))
      if (event.type === "text-delta") break;
    expect(contents(memory.getMessages())).toEqual(["Count", expect.stringMatching(/^one /)]);
    expect(memory.getMessages()[1]).toMatchObject({ interrupted: true });
  });

  it("with a throw cancels the run too, and the error reaches the caller", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: endless, memory });
    const loop = async () => {
      for await (const event of agent.stream("Count", SOMEONE))
        if (event.type === "text-delta") throw new Error("mine");
    };
    await expect(loop()).rejects.toThrow("mine");
    expect(memory.size()).toBe(2);
  });

  it("while a read is pending cancels the run at once", async () => {
    const never = new Gate();
    const model = new ScriptedModel(async () => {
      await never.opened;
      return "late";
    });
    const memory = new InMemory();
    const iterator = new Agent({ model, memory }).stream("Hi", SOMEONE)[Symbol.asyncIterator]();
    await iterator.next();
    const pending = iterator.next();
    await iterator.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(memory.size()).toBe(0);
  });

  it("before the first read cancels the run too", async () => {
    const never = new Gate();
    const model = new ScriptedModel(async () => {
      await never.opened;
      return "late";
    });
    const agent = new Agent({ model, onBusy: "reject" });
    await agent.stream("Hi", SOMEONE)[Symbol.asyncIterator]().return?.();
    const next = agent.run("Hi", SOMEONE);
    never.open();
    await expect(next).resolves.toMatchObject({ content: "late" });
  });

  it("after its end has no effect", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: new ScriptedModel(["Hello"]), memory });
    for await (const event of agent.stream("Hi", SOMEONE)) if (event.type === "run-end") break;
    expect(memory.getMessages()[1]).not.toHaveProperty("interrupted");
    expect(contents(memory.getMessages())).toEqual(["Hi", "Hello"]);
  });
});

describe.each(MEMORIES)("a cancelled stream, with $name,", ({ open }) => {
  /** Cancels when the tool "stop" is called. */
  function cancelledRun(script: ConstructorParameters<typeof ScriptedModel>[0]) {
    const controller = new AbortController();
    const never = new Gate();
    const tools = toolkitOf(
      toolOf("note", ({ state }) => {
        state.noted = ((state.noted as number | undefined) ?? 0) + 1;
      }),
      toolOf("stop", ({ state }) => {
        state.stopped = true;
        controller.abort();
        return never.opened;
      }),
    );
    const memory = open();
    const agent = new Agent({ model: new ScriptedModel(script), memory, toolkits: [tools] });
    return {
      memory,
      agent,
      result: collect(agent.stream("Go", { ...SOMEONE, signal: controller.signal })),
    };
  }

  it("stores the text that was shown, marked as interrupted", async () => {
    const { memory, agent, result } = cancelledRun([
      { text: ["Half ", "a reply"], toolCalls: [{ name: "stop" }] },
      "next",
    ]);
    const { failure } = await result;
    expect(failure).toMatchObject({ code: "CANCELLED" });
    const history = await memory.getMessages();
    expectWellFormed(history);
    expect(history[1]).toMatchObject({
      content: "Half a reply",
      interrupted: true,
      model: "scripted",
    });
    expect(history[1]).not.toHaveProperty("toolCalls");
    await agent.run("Go on", SOMEONE);
    expect(contents(await memory.getMessages())).toEqual(["Go", "Half a reply", "Go on", "next"]);
  });

  it("does not store thoughts whose opening tag is missing", async () => {
    const { memory, result } = cancelledRun([
      { text: ["Let me think.\n</think>\n", "Half a reply"], toolCalls: [{ name: "stop" }] },
    ]);
    await result;
    expect((await memory.getMessages())[1]).toMatchObject({
      content: "Half a reply",
      interrupted: true,
    });
  });

  it("stores the earlier rounds and their state, without unanswered calls", async () => {
    const { memory, result } = cancelledRun([
      { text: "First.", toolCalls: [{ name: "note" }] },
      { text: "Second.", toolCalls: [{ name: "note" }, { name: "stop" }] },
    ]);
    await result;
    const history = await memory.getMessages();
    expectWellFormed(history);
    expect(contents(history)).toEqual(["Go", "First.", "done", "Second."]);
    expect({ ...(await memory.getState()) }).toEqual({ noted: 1 });
  });

  it("ends with the last shown text, without the state of later rounds", async () => {
    const { memory, result } = cancelledRun([
      { text: "First.", toolCalls: [{ name: "note" }] },
      { toolCalls: [{ name: "note" }] },
      { toolCalls: [{ name: "stop" }] },
    ]);
    await result;
    const history = await memory.getMessages();
    expect(contents(history)).toEqual(["Go", "First."]);
    expect(history[1]).toMatchObject({ interrupted: true });
    expect({ ...(await memory.getState()) }).toEqual({});
  });

  it("stores nothing if no text was shown", async () => {
    const { memory, result } = cancelledRun([
      { toolCalls: [{ name: "note" }] },
      { toolCalls: [{ name: "stop" }] },
    ]);
    expect((await result).failure).toMatchObject({ code: "CANCELLED" });
    expect(await memory.users()).toEqual([]);
  });
});
