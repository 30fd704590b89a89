import { expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { DemoModel } from "../../src/models/demo.js";

it("the quick start: alice and bob each get their own name, also after switching back", async () => {
  const agent = new Agent({
    name: "customer-service",
    model: new DemoModel(),
    memory: new InMemory(100),
    instructions: "You are a helpful customer service agent.",
  });
  const ask = async (userId: string, input: string) => (await agent.run(input, { userId })).content;

  await ask("user-a", "My name is Alice");
  expect(await ask("user-a", "What's my name?")).toContain("Your name is Alice");
  await ask("user-b", "My name is Bob");
  expect(await ask("user-b", "What's my name?")).toContain("Your name is Bob");
  expect(await ask("user-a", "What's my name?")).toContain("Your name is Alice");
});
