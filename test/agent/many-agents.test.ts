import { expect, test, vi } from "vitest";

const made = vi.hoisted(() => ({ storages: 0 }));

vi.mock("node:async_hooks", async (original) => {
  const hooks = await original<typeof import("node:async_hooks")>();
  class AsyncLocalStorage<T> extends hooks.AsyncLocalStorage<T> {
    constructor() {
      super();
      made.storages++;
    }
  }
  return { ...hooks, AsyncLocalStorage };
});

const { Agent } = await import("../../src/agent/agent.js");
const { ScriptedModel } = await import("../../src/testing/scripted-model.js");

test("an agent for each request leaves nothing behind that slows down later ones", async () => {
  for (let request = 0; request < 50; request++)
    await new Agent({ model: new ScriptedModel(["Hi"]) }).run("Hi", { userId: "alice" });
  expect(made.storages).toBe(1);
});
