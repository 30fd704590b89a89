import { expect, it } from "vitest";
import { Agent, InMemory, type Memory } from "../../src/index.js";
import { ScriptedModel } from "../../src/testing/index.js";
import { notes } from "../../src/tools/notes.js";
import { Gate } from "./support.js";

const call = (text: string) => ({
  toolCalls: [{ name: "remember", arguments: { text } }],
});

it("takes back a run with what its tools have remembered, and the model never sees it again", async () => {
  const model = new ScriptedModel([call("first"), "Noted.", call("second"), "Noted.", "Fine."]);
  const agent = new Agent({ model, toolkits: [notes()] });
  const alice = agent.forUser("alice");
  await alice.run("Remember: first");
  const state = await alice.state();
  await alice.run("Remember: second");
  expect(await alice.undo()).toEqual({ runs: 1, messages: 4 });
  expect(await alice.state()).toEqual(state);
  await alice.run("And now?");
  expect(JSON.stringify(model.requests.at(-1))).not.toContain("second");
});

it("waits for the runs of the session that came before, and for no other", async () => {
  const gate = new Gate();
  const model = new ScriptedModel([() => gate.opened.then(() => "One.")]);
  const alice = new Agent({ model }).forUser("alice");
  const run = alice.run("First");
  const undone = alice.undo();
  const elsewhere = await alice.undo({ sessionId: "work" });
  expect(elsewhere).toEqual({ runs: 0, messages: 0 });
  gate.open();
  await run;
  expect(await undone).toEqual({ runs: 1, messages: 2 });
  expect(await alice.history()).toEqual([]);
});

it("copies a session for one user alone", async () => {
  const agent = new Agent({ model: new ScriptedModel(["One.", "Two.", "Three."]) });
  const [alice, bob] = [agent.forUser("alice"), agent.forUser("bob")];
  await alice.run("First");
  await bob.run("Mine");
  expect(await alice.fork({ to: "try" })).toEqual({ messages: 2 });
  await alice.run("Second", { sessionId: "try" });
  expect(await alice.size({ sessionId: "try" })).toBe(4);
  expect(await alice.size({ sessionId: "default" })).toBe(2);
  expect(await bob.sessions()).toHaveLength(1);
  await expect(bob.fork({ sessionId: "try", to: "mine" })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});

it("says that a memory cannot do it", async () => {
  const memory: Memory = new Proxy(new InMemory(), {
    get: (target, name) => {
      if (name === "edits") return undefined;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const alice = new Agent({ model: new ScriptedModel([]), memory }).forUser("alice");
  await expect(alice.undo()).rejects.toMatchObject({ code: "USAGE" });
  await expect(alice.clearBefore({ before: 1 })).rejects.toMatchObject({ code: "USAGE" });
});

it("clears what is old, and ends a run that has read it", async () => {
  const memory = new InMemory();
  const model = new ScriptedModel(["one", "two", "three"]);
  const agent = new Agent({ model, memory });
  const [alice, bob] = [agent.forUser("alice"), agent.forUser("bob")];
  for (const user of [alice, bob]) await user.run("First");
  const clearMidway = async () => {
    for await (const event of alice.stream("Second"))
      if (event.type === "text-delta") await alice.clearBefore({ before: Date.now() + 60_000 });
  };
  await expect(clearMidway()).rejects.toMatchObject({ code: "HISTORY_CLEARED" });
  expect([await alice.size(), await bob.size()]).toEqual([0, 2]);
});
