import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import { defineTool } from "../../src/tools/define-tool.js";
import { MEMORIES } from "./support.js";

const ALICE = { userId: "alice" };

const remember = defineTool({
  name: "remember",
  description: "Keeps the last note.",
  parameters: { type: "object" },
  execute: (_, { state }) => {
    state.notes = Number(state.notes ?? 0) + 1;
  },
});

const contents = (messages: readonly { readonly content: string }[]) =>
  messages.map(({ content }) => content);

describe.each(MEMORIES)("a run that replaces the last one, with $name,", ({ open }) => {
  function agentOf(script: readonly ScriptedStep[], historyLimit = Infinity) {
    const memory = open();
    const model = new ScriptedModel(script);
    const toolkits = [{ name: "kit", tools: [remember] }];
    const agent = new Agent({ model, memory, toolkits, historyLimit });
    const kept = async (userId = "alice") => contents(await memory.getMessages(userId));
    return { agent, memory, model, kept };
  }

  it.each([Infinity, 4, 1, 0])(
    "leaves the question once, with the new answer, at the history limit %s",
    async (limit) => {
      const { agent, model, kept } = agentOf(["one", "two", "three"], limit);
      await agent.run("First", ALICE);
      const { runId: replaceRun } = await agent.run("Second", ALICE);
      const again = await agent.run("Second", { ...ALICE, replaceRun });
      expect(await kept()).toEqual(["First", "one", "Second", "three"]);
      expect(again.runId).not.toBe(replaceRun);
      // The model is not sent its old answer.
      expect(contents(model.requests[2]?.messages ?? [])).not.toContain("two");
      if (limit === Infinity)
        expect(contents(model.requests[2]?.messages ?? [])).toEqual(["First", "one", "Second"]);
    },
  );

  it("keeps the old answer if it fails, or is cancelled after it has shown text", async () => {
    const { agent, kept } = agentOf(["one", new Error("broken"), { text: ["tw", "o"] }, "three"]);
    const { runId: replaceRun } = await agent.run("First", ALICE);
    await expect(agent.run("First", { ...ALICE, replaceRun })).rejects.toThrow();
    expect(await kept()).toEqual(["First", "one"]);
    const stream = agent.stream("First", { ...ALICE, replaceRun });
    for await (const { type } of stream) if (type === "text-delta") break;
    await agent.context(ALICE);
    expect(await kept()).toEqual(["First", "one"]);
    await agent.run("First", { ...ALICE, replaceRun });
    expect(await kept()).toEqual(["First", "three"]);
  });

  it("removes the old tool messages, but not what they changed in the state", async () => {
    const call = { toolCalls: [{ name: "remember" }] };
    const { agent, memory, kept } = agentOf([call, "one", call, "two"]);
    const { runId: replaceRun } = await agent.run("First", ALICE);
    await agent.run("First", { ...ALICE, replaceRun });
    expect(await kept()).toEqual(["First", "", "done", "two"]);
    expect(await memory.getState("alice")).toEqual(
      Object.assign(Object.create(null), { notes: 2 }),
    );
  });

  it("is refused for any other run, without a model call", async () => {
    const { agent, model, kept } = agentOf(["one", "two", "for bob"]);
    const { runId: first } = await agent.run("First", ALICE);
    const { runId: second } = await agent.run("Second", ALICE);
    const { runId: bobs } = await agent.run("Bob's", { userId: "bob" });
    for (const options of [
      { ...ALICE, replaceRun: first },
      { ...ALICE, replaceRun: bobs },
      { ...ALICE, replaceRun: "never" },
      { ...ALICE, replaceRun: second, sessionId: "work" },
      { userId: "bob", replaceRun: second },
    ])
      await expect(agent.run("Again", options)).rejects.toMatchObject({
        code: "RUN_CONFLICT",
        stored: false,
      });
    expect(model.requests).toHaveLength(3);
    expect(await kept()).toEqual(["First", "one", "Second", "two"]);
    expect(await kept("bob")).toEqual(["Bob's", "for bob"]);
  });

  it("stores nothing if another run was stored meanwhile", async () => {
    const { agent, memory, kept } = agentOf([
      "one",
      async () => {
        await memory.add({ role: "user", content: "From elsewhere", runId: "other" }, "alice");
        return "two";
      },
    ]);
    const { runId: replaceRun } = await agent.run("First", ALICE);
    await expect(agent.run("First", { ...ALICE, replaceRun })).rejects.toMatchObject({
      code: "RUN_CONFLICT",
      stored: false,
    });
    expect(await kept()).toEqual(["First", "one", "From elsewhere"]);
  });
});
