import assert from "node:assert/strict";
import type { AgnoChatError } from "../../errors.js";
import { userMessage } from "../../messages.js";
import { plain, rejects, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const stateConflicts: MemoryChecks = {
  "stores nothing when an expected key was changed, added or deleted in the meantime": async ({
    memory,
  }) => {
    const value = { "2": [1, "\ud800"], "1": { b: null, a: -0 } };
    await memory.add(userMessage("hi"), "a", { state: { same: value, other: 1, gone: 1 } });
    const { same = null, other = null, gone = null } = await memory.getState("a");
    await memory.add([], "a", { state: { other: 2, gone: undefined, new: 1 } });
    for (const expected of [{ other }, { gone }, { new: undefined }, { same, other }, { never: 1 }])
      for (const state of [{ mine: 1 }, undefined])
        await rejects("STATE_CONFLICT", () =>
          memory.add(userMessage("late"), "a", { expected, state }),
        );
    for (const user of ["a", "b"])
      await rejects("STATE_CONFLICT", () =>
        memory.add([], user, { sessionId: "unknown", expected: { same }, state: { same } }),
      );
    assert.deepEqual(texts(await memory.getMessages("a")), ["hi"]);
    assert.deepEqual(plain(await memory.getState("a")), plain({ same, other: 2, new: 1 }));
    assert.equal((await memory.users()).length, 1);

    const expected = { same, other: 2, gone: undefined, never: undefined };
    await memory.add(userMessage("now"), "a", { expected, state: { same: 3, other: undefined } });
    assert.deepEqual(texts(await memory.getMessages("a")), ["hi", "now"]);
    assert.deepEqual(plain(await memory.getState("a")), { new: 1, same: 3 });
    await memory.add(userMessage("first"), "b", { expected: { never: undefined } });
  },

  "loses no change when writers retry after a conflict": async ({ memory }) => {
    const increment = async (): Promise<void> => {
      const { count } = await memory.getState("a");
      const state = { count: Number(count ?? 0) + 1 };
      try {
        await memory.add([], "a", { state, expected: { count } });
      } catch (error) {
        assert.equal((error as AgnoChatError).code, "STATE_CONFLICT");
        await increment();
      }
    };
    await Promise.all(Array.from({ length: 10 }, increment));
    assert.deepEqual(plain(await memory.getState("a")), { count: 10 });
  },

  "reports a clear before a conflict, and refuses expected values that are not JSON": async ({
    memory,
  }) => {
    await memory.add(userMessage("hi"), "a", { state: { key: 1 } });
    const { generation } = await memory.read("a");
    await memory.clear("a");
    await rejects("HISTORY_CLEARED", () =>
      memory.add([], "a", { generation, expected: { key: 1 }, state: { key: 2 } }),
    );
    const expected = { key: Number.NaN };
    await rejects("INVALID_STATE", () => memory.add(userMessage("x"), "a", { expected }));
    assert.deepEqual(await memory.users(), []);
  },
};
