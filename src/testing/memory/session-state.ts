import assert from "node:assert/strict";
import type { StatePatch } from "../../memory/memory.js";
import { userMessage } from "../../messages.js";
import { plain, rejects } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";
import { STRANGE_TEXTS } from "./strange-values.js";

export const sessionState: MemoryChecks = {
  "merges patches key by key, and deletes keys set to undefined": async ({ memory }) => {
    await memory.add([], "a", { state: { a: 1, b: { deep: [true, null, "x"] } } });
    await memory.add(userMessage("hi"), "a", { state: { a: 2, c: "new" } });
    await memory.add([], "a", { state: { b: undefined, never: undefined } });
    assert.deepEqual(plain(await memory.getState("a")), { a: 2, c: "new" });
    assert.deepEqual(plain((await memory.read("a")).state), { a: 2, c: "new" });
  },

  "accepts any string as a key, even __proto__": async ({ memory }) => {
    const patch: Record<string, string> = Object.create(null);
    for (const key of ["__proto__", "constructor", "", ...STRANGE_TEXTS]) patch[key] = key;
    await memory.add([], "a", { state: patch });
    const state = await memory.getState("a");
    assert.equal(Object.getPrototypeOf(state), null);
    assert.deepEqual(plain(state), plain(patch));
    assert.equal(Object.hasOwn({}, "__proto__"), false);
  },

  "refuses a value that is not JSON, naming the key, and stores nothing": async ({ memory }) => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const wrong = [() => 1, Symbol("s"), Number.NaN, Infinity, 1n];
    const values = [...wrong, cycle, new Map(), new Date(0), [undefined]];
    for (const value of [...values, ...values.map((inner) => ({ inner }))]) {
      const state = { good: 1, "the key": value } as unknown as StatePatch;
      const error = await rejects("INVALID_STATE", () =>
        memory.add(userMessage("hi"), "a", { state }),
      );
      assert.match(error.message, /the key/);
    }
    await rejects("INVALID_STATE", () =>
      memory.add([], "a", { state: [] as unknown as StatePatch }),
    );
    assert.deepEqual(await memory.users(), []);
  },

  "forgets a session and its user when the last state key is deleted and no message is left":
    async ({ memory }) => {
      await memory.add([], "a", { state: { only: 1 } });
      assert.deepEqual(
        (await memory.users()).map(({ messages }) => messages),
        [0],
      );
      await memory.add([], "a", { state: { only: undefined } });
      assert.deepEqual(await memory.users(), []);
      assert.deepEqual(await memory.sessions("a"), []);
    },
};
