import { expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import { defineTool } from "../../src/tools/define-tool.js";
import { notes } from "../../src/tools/notes.js";
import { failsWith, Gate, toolkitOf } from "./support.js";

const whoami = defineTool({
  name: "whoami",
  description: "Names the user.",
  parameters: { type: "object" },
  execute: (_, { userId, state }) => {
    state.seen = true;
    return userId;
  },
});

function agentOf(script: readonly ScriptedStep[], toolkits = [notes(), toolkitOf(whoami)]) {
  const memory = new InMemory();
  const model = new ScriptedModel(script);
  const agent = new Agent({
    ...{ model, memory, toolkits, instructions: "Be brief.", historyLimit: 2 },
  });
  return { agent, memory, model };
}

const HISTORY = [
  ...[userMessage("One"), assistantMessage("1"), userMessage("Two"), assistantMessage("2")],
];

it("sends the model the instructions and exactly the given messages", async () => {
  const { agent, memory, model } = agentOf(["kept", "3"]);
  await agent.run("Secret", { userId: "alice" });
  const { content } = await agent.detached("alice", HISTORY).run("Three");
  expect(content).toBe("3");
  expect(model.requests[1]?.messages).toMatchObject([
    { role: "system", content: "Be brief." },
    ...HISTORY,
    { role: "user", content: "Three" },
  ]);
  expect(memory.size("alice")).toBe(2);
  expect(memory.users()).toHaveLength(1);
});

it("leaves out the tools that need a memory, and tells the others the user", async () => {
  const call = { toolCalls: [{ name: "whoami" }, { name: "remember", arguments: { text: "x" } }] };
  const { agent, memory, model } = agentOf([call, "done"]);
  const { messages } = await agent.detached("alice", []).run("Who am I?");
  expect(model.requests[0]?.tools?.map(({ name }) => name)).toEqual(["whoami"]);
  expect(messages.slice(2, 4)).toMatchObject([{ content: "alice" }, { isError: true }]);
  expect(memory.users()).toEqual([]);
});

it("sends no tools where all of them need a memory", async () => {
  const { agent, model } = agentOf(["ok"], [notes()]);
  await agent.detached("alice", []).run("Hi");
  expect(model.requests[0]).not.toHaveProperty("tools");
});

it("does not wait for the runs of the same user that are kept", async () => {
  const gate = new Gate();
  const waiting = async () => {
    await gate.opened;
    return "late";
  };
  const { agent } = agentOf([waiting, "now"]);
  const kept = agent.run("Hi", { userId: "alice" });
  expect(await agent.detached("alice", []).run("Hi")).toMatchObject({ content: "now" });
  gate.open();
  await kept;
});

it("refuses an invalid user and messages that are none", () => {
  const { agent } = agentOf([]);
  expect(() => agent.detached("", [])).toThrow(
    expect.objectContaining({ code: "INVALID_USER_ID" }),
  );
  expect(() => agent.detached("alice", [{ role: "nobody" } as never])).toThrow(
    expect.objectContaining({ code: "INVALID_MESSAGE" }),
  );
});

it("adds instructions to those of the agent for the runs of one view, and keeps them nowhere", async () => {
  const { agent, memory, model } = agentOf(["one", "two", "three"]);
  await agent.forUser("alice", { instructions: "Rhyme." }).run("Hi");
  await agent.forUser("alice").run("Hi again");
  await agent.detached("alice", [], { instructions: "Sing." }).run("Hi");
  expect(model.requests.map(({ messages }) => messages[0]?.content)).toEqual([
    "Be brief.\n\nRhyme.",
    "Be brief.",
    "Be brief.\n\nSing.",
  ]);
  expect(JSON.stringify(memory.getMessages("alice"))).not.toContain("Rhyme");
  const bare = new Agent({ model: new ScriptedModel(() => "ok") });
  const context = await bare.forUser("alice", { instructions: "Rhyme." }).context();
  expect(context.messages).toEqual([{ role: "system", content: "Rhyme." }]);
});

it("runs a session once at a time, whatever the instructions of its views", async () => {
  const gate = new Gate();
  const slow = async () => {
    await gate.opened;
    return "first";
  };
  const { agent, memory } = agentOf([slow, "second"]);
  const runs = [
    agent.run("One", { userId: "alice" }),
    agent.forUser("alice", { instructions: "Rhyme." }).run("Two"),
  ];
  gate.open();
  await Promise.all(runs);
  expect(memory.getMessages("alice").map(({ content }) => content)).toEqual([
    ...["One", "first", "Two", "second"],
  ]);
});

it.each([Infinity, 2, 0])(
  "continues only the last run of the session, at the history limit %s",
  async (historyLimit) => {
    const memory = new InMemory();
    const model = new ScriptedModel(["one", "two", "three"]);
    const agent = new Agent({ model, memory, historyLimit });
    const first = await agent.run("One", { userId: "alice" });
    const second = await agent.run("Two", { userId: "alice", previousRun: first.runId });
    const again = agent.run("Three", { userId: "alice", previousRun: first.runId });
    await failsWith(again, "RUN_CONFLICT");
    await failsWith(
      agent.run("Three", { userId: "bob", previousRun: second.runId }),
      "RUN_CONFLICT",
    );
    expect(model.requests).toHaveLength(2);
    await agent.run("Three", { userId: "alice", previousRun: second.runId });
    expect(memory.size("alice")).toBe(6);
    expect(memory.size("bob")).toBe(0);
  },
);

it("lets one of two runs continue the same run", async () => {
  const { agent } = agentOf(["one", "two"]);
  const { runId: previousRun } = await agent.run("One", { userId: "alice" });
  const runs = ["Two", "Too"].map((text) => agent.run(text, { userId: "alice", previousRun }));
  const ends = await Promise.allSettled(runs);
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

it("counts for the user in the lasting memory, and is refused there", async () => {
  const memory = new InMemory();
  memory.add(userMessage("Secret"), "alice");
  const usage = { inputTokens: 10, outputTokens: 5 };
  const model = new ScriptedModel(() => ({ text: "3", usage }));
  const agent = new Agent({ model, memory, limits: { tokensPerDay: 15 } });
  const { limits } = await agent.detached("alice", HISTORY).run("Three");
  expect(limits).toEqual([{ limit: "tokensPerDay", used: 15, allowed: 15 }]);
  expect(model.requests[0]?.messages).toMatchObject([...HISTORY, userMessage("Three")]);
  await failsWith(agent.detached("alice", HISTORY).run("Four"), "BUDGET");
  await failsWith(agent.run("Four", { userId: "alice" }), "BUDGET");
  await memory.limits?.set("bob", {});
  const free = new Agent({ model, memory, limits: {} });
  await free.detached("bob", HISTORY).run("Three");
  expect(memory.limits?.use("bob", {})).toMatchObject([
    { limit: "tokensPerDay", used: 15 },
    {},
    {},
    {},
  ]);
});
