import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { AgnoChatError } from "../../src/errors.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import type { Model } from "../../src/models/model.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { collect, MEMORIES, SOMEONE, toolkitOf, toolOf } from "./support.js";

const late = new AgnoChatError("MODEL_TIMEOUT", "Too slow.");

/** The error of a stream that times out after one word, or without any for "Silence". */
async function timedOut(memory: Memory, input: string) {
  const controller = new AbortController();
  const model: Model = {
    name: "stalling",
    async *stream() {
      if (input !== "Silence") yield { type: "text-delta", text: "Half" };
      controller.abort(late);
      await new Promise(() => {});
    },
  };
  const { signal } = controller;
  return (await collect(new Agent({ model, memory }).stream(input, { ...SOMEONE, signal })))
    .failure;
}

describe.each(MEMORIES)("a failed run with $name says whether it was stored:", ({ open }) => {
  it("true for a stream that took too long but had shown text", async () => {
    const memory = open();
    expect(await timedOut(memory, "Hi")).toMatchObject({ code: "MODEL_TIMEOUT", stored: true });
    expect(await memory.size()).toBe(2);
  });

  it("false for a stream that had shown nothing", async () => {
    const memory = open();
    expect(await timedOut(memory, "Silence")).toMatchObject({ stored: false });
    expect(await memory.size()).toBe(0);
  });

  it("false after a model failure, even after text and tool calls", async () => {
    const error = new AgnoChatError("MODEL_NETWORK", "Gone.");
    const call = { toolCalls: [{ name: "look" }] };
    for (const script of [[error], [{ text: "Half", error }], [call, error]]) {
      const memory = open();
      const toolkits = [toolkitOf(toolOf("look", () => "seen"))];
      const agent = new Agent({ model: new ScriptedModel(script), memory, toolkits });
      const { failure } = await collect(agent.stream("Hi", SOMEONE));
      expect(failure).toMatchObject({ code: "MODEL_NETWORK", stored: false });
      expect(await memory.users()).toEqual([]);
    }
  });

  it("false when its history was cleared", async () => {
    const memory = open();
    const model = new ScriptedModel([
      "Hello",
      async () => {
        await memory.clear();
        return "ghost";
      },
    ]);
    const agent = new Agent({ model, memory });
    await agent.run("Hi", SOMEONE);
    await expect(agent.run("Hi", SOMEONE)).rejects.toMatchObject({
      code: "HISTORY_CLEARED",
      stored: false,
    });
  });
});

it("a failed run says undefined if the store failed while storing", async () => {
  class Failing extends InMemory {
    override add(): never {
      throw new AgnoChatError("STORE_FAILED", "The disk is gone.");
    }
  }
  const agent = new Agent({ model: new ScriptedModel(["Hello"]), memory: new Failing() });
  const failure = await agent.run("Hi", SOMEONE).catch((thrown) => thrown);
  expect(failure).toMatchObject({ code: "STORE_FAILED", stored: undefined });
});

it("the reason of a shared signal is never changed", async () => {
  const failures = await Promise.all(
    ["Hi", "Silence"].map((input) => timedOut(new InMemory(), input)),
  );
  expect(failures).toMatchObject([{ stored: true }, { stored: false }]);
  expect(late.stored).toBeUndefined();
});
