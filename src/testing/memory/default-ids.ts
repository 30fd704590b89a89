import assert from "node:assert/strict";
import { userMessage } from "../../messages.js";
import { plain, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const defaultIds: MemoryChecks = {
  "treats a missing or empty user id as the user default": async ({ memory }) => {
    await memory.add(userMessage("one"));
    await memory.add(userMessage("two"), "");
    assert.deepEqual(texts(await memory.getMessages("default")), ["one", "two"]);
    assert.equal(await memory.size(), 2);
    assert.equal((await memory.sessions()).length, 1);
    assert.deepEqual(await memory.clear(""), { messages: 2, sessions: 1 });
  },

  "treats a missing session id as default in add, read and getState, as all sessions elsewhere":
    async ({ memory }) => {
      await memory.add(userMessage("here"), "a", { state: { here: true } });
      await memory.add(userMessage("there"), "a", { sessionId: "s2", state: { there: true } });
      assert.deepEqual(texts((await memory.read("a")).messages), ["here"]);
      assert.deepEqual(plain(await memory.getState("a")), { here: true });
      assert.deepEqual(texts(await memory.getMessages("a")), ["here", "there"]);
      assert.equal(await memory.size("a"), 2);
      assert.equal(await memory.size("a", { sessionId: "default" }), 1);
      assert.deepEqual(await memory.clear("a"), { messages: 2, sessions: 2 });
    },

  "returns nothing for unknown users and sessions, and does not create them": async ({
    memory,
  }) => {
    const { messages, state, total } = await memory.read("a");
    assert.deepEqual([messages, plain(state), total], [[], {}, 0]);
    assert.equal(Object.getPrototypeOf(await memory.getState("a")), null);
    assert.deepEqual(await memory.getMessages("a", { sessionId: "s" }), []);
    assert.equal(await memory.size("a", { sessionId: "s" }), 0);
    assert.deepEqual(await memory.clear("a"), { messages: 0, sessions: 0 });
    assert.deepEqual(await memory.clear("a", { sessionId: "s" }), { messages: 0, sessions: 0 });
    assert.deepEqual(await memory.sessions("a"), []);
    assert.deepEqual(await memory.add([], "a"), []);
    assert.deepEqual(await memory.users(), []);
  },
};
