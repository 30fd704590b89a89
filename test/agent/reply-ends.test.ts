import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import {
  collect,
  contents,
  dump,
  failsWith,
  MEMORIES,
  SOMEONE,
  toolkitOf,
  toolOf,
} from "./support.js";

const note = toolOf("note", ({ state }) => {
  state.noted = true;
});
const callNote: ScriptedStep = { toolCalls: [{ name: "note" }] };

describe.each(MEMORIES)("a reply, with $name,", ({ open }) => {
  function agentWith(...script: ScriptedStep[]) {
    const memory = open();
    const agent = new Agent({
      model: new ScriptedModel(script),
      memory,
      toolkits: [toolkitOf(note)],
    });
    return { agent, memory };
  }

  it("is stored with finishReason only if it was cut at the token limit", async () => {
    const { agent, memory } = agentWith({ text: "Once upon", reason: "length" }, "The end.");
    expect((await agent.run("Tell", SOMEONE)).finishReason).toBe("length");
    expect((await agent.run("On", SOMEONE)).finishReason).toBe("stop");
    const [, cut, , whole] = await memory.getMessages();
    expect(cut).toMatchObject({ content: "Once upon", finishReason: "length" });
    expect(whole).not.toHaveProperty("finishReason");
  });

  it.each<[string, ScriptedStep, RegExp]>([
    ["nothing", { text: [] }, /empty reply/],
    ["only white space", { text: [" ", "\n"] }, /empty reply/],
    ["nothing before its token limit", { text: [], reason: "length" }, /token limit/],
  ])("that says %s fails the run, and nothing is stored", async (_, step, message) => {
    const { agent, memory } = agentWith("Hello", step, step, "Hello again");
    await agent.run("Hi", SOMEONE);
    const before = await dump(memory);
    await expect(agent.run("And?", SOMEONE)).rejects.toMatchObject({
      code: "MODEL_BAD_RESPONSE",
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
    const { failure } = await collect(agent.stream("And?", SOMEONE));
    expect(failure).toMatchObject({ code: "MODEL_BAD_RESPONSE" });
    expect(await dump(memory)).toBe(before);
    await agent.run("Still there?", SOMEONE);
    expect(contents(await memory.getMessages()).at(-1)).toBe("Hello again");
  });

  it("that says nothing after tool calls keeps what they did", async () => {
    const { agent, memory } = agentWith(callNote, { text: [] }, "You are welcome.");
    expect((await agent.run("Note it", SOMEONE)).content).toBe("");
    expect({ ...(await memory.getState()) }).toEqual({ noted: true });
    await agent.run("Thanks", SOMEONE);
    expect(await memory.size()).toBe(6);
  });

  it("that was cut after tool calls, before any text, stores nothing", async () => {
    const { agent, memory } = agentWith(callNote, { text: "", reason: "length" });
    await failsWith(agent.run("Note it", SOMEONE), "MODEL_BAD_RESPONSE");
    expect(await memory.users()).toEqual([]);
  });
});
