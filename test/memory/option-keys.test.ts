import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { StoreMemory } from "../../src/memory/store-memory.js";
import { InMemoryStore } from "../../src/memory/stores/in-memory/in-memory-store.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

/** Every method with options, called with a misspelt one. */
const CALLS: Readonly<Record<string, (memory: Memory) => unknown>> = {
  add: (memory) => memory.add(userMessage("hi"), "bob", { sesionId: "x" } as object),
  read: (memory) => memory.read("bob", { sesionId: "x" } as object),
  getMessages: (memory) => memory.getMessages("bob", { sesionId: "x" } as object),
  getState: (memory) => memory.getState("bob", { sesionId: "x" } as object),
  size: (memory) => memory.size("bob", { sesionId: "x" } as object),
  clear: (memory) => memory.clear("bob", { sesionId: "x" } as object),
  removeInactive: (memory) => memory.removeInactive(0, { forse: true } as object),
};

const NEAREST: Readonly<Record<string, string>> = { removeInactive: "force" };

for (const [name, open] of [
  ["InMemory", () => new InMemory()],
  ["SqliteMemory", () => new SqliteMemory(temporaryFile())],
] as const)
  describe(name, () => {
    let memory: Memory;
    beforeEach(() => {
      memory = open();
    });
    afterEach(() => memory.close());

    it.each(Object.keys(CALLS))(
      "refuses a misspelt option of %s, and changes nothing",
      async (method) => {
        await memory.add(userMessage("hi"), "bob", { state: { key: 1 } });
        await expect(async () => CALLS[method]?.(memory)).rejects.toMatchObject({
          code: "USAGE",
          message: expect.stringMatching(`^${method} takes no option "`),
          hint: `Did you mean ${NEAREST[method] ?? "sessionId"}?`,
        });
        expect(await memory.size("bob")).toBe(1);
        expect(await memory.getState("bob")).toEqual({ key: 1 });
      },
    );
  });

it("refuses a misspelt option of each memory, and of openMemory", async () => {
  const misspelt = { nwo: Date.now } as object;
  const refused = { code: "USAGE", hint: "Did you mean now?" };
  expect(() => new InMemory(10, misspelt)).toThrow(expect.objectContaining(refused));
  expect(() => new SqliteMemory(temporaryFile(), misspelt)).toThrow(
    expect.objectContaining(refused),
  );
  expect(() => new StoreMemory(new InMemoryStore(Infinity), misspelt)).toThrow(
    expect.objectContaining(refused),
  );
  for (const spec of ["memory:", `sqlite:${temporaryFile()}`])
    await expect(openMemory(spec, misspelt)).rejects.toMatchObject(refused);
});

it("reads what an options object inherits as JavaScript does, and refuses none of it", () => {
  const memory = new InMemory();
  memory.add(userMessage("hi"), "bob", { sessionId: "work" });
  expect(memory.size("bob", Object.create({ sessionId: "home", other: 1 }))).toBe(0);
});
