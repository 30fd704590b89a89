import assert from "node:assert/strict";
import { assistantMessage, userMessage } from "../../messages.js";
import { plain, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const listsAndClears: MemoryChecks = {
  "lists users and sessions, most recently active first": async ({ memory, clock }) => {
    await memory.add([userMessage("q"), assistantMessage("a")], "alice");
    clock.now += 1_000;
    await memory.add(userMessage("q"), "bob");
    clock.now += 1_000;
    const stored = await memory.add([userMessage("é"), userMessage("\ud800")], "alice", {
      sessionId: "s2",
    });
    const lastActivity = new Date(clock.now).toISOString();
    assert.deepEqual(
      (await memory.users()).map((user) => ({ ...user })),
      [
        { userId: "alice", sessions: 2, messages: 4, lastActivity },
        {
          userId: "bob",
          sessions: 1,
          messages: 1,
          lastActivity: new Date(clock.now - 1_000).toISOString(),
        },
      ],
    );
    assert.deepEqual(
      (await memory.users({ limit: 1 })).map(({ userId }) => userId),
      ["alice"],
    );
    assert.deepEqual(await memory.users({ limit: 0 }), []);
    const [recent, older] = await memory.sessions("alice");
    const bytes = stored.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)),
      0,
    );
    assert.deepEqual({ ...recent }, { sessionId: "s2", messages: 2, runs: 2, bytes, lastActivity });
    assert.deepEqual([older?.sessionId, older?.messages, older?.runs], ["default", 2, 1]);
    assert.deepEqual(
      (await memory.sessions("alice", { limit: 1 })).map(({ sessionId }) => sessionId),
      ["s2"],
    );
    assert.deepEqual(await memory.sessions("alice", { limit: 0 }), []);
  },

  "counts what is kept of a user, or of one of their sessions, and of nobody else": async ({
    memory,
    clock,
  }) => {
    // A memory without counts lists the sessions, which passes.
    if (memory.counts === undefined) return;
    await memory.add([userMessage("q"), assistantMessage("a")], "a");
    await memory.add(userMessage("of another"), "a2");
    clock.now += 1_000;
    await memory.add([], "a", { sessionId: "state alone", state: { key: 1 } });
    const [latest, older] = await memory.sessions("a");
    const { messages, runs, bytes } = older ?? {};
    assert.deepEqual(
      { ...(await memory.counts("a")) },
      { sessions: 2, messages, runs, bytes, lastActivity: latest?.lastActivity },
    );
    assert.deepEqual(
      { ...(await memory.counts("a", { sessionId: "default" })) },
      { sessions: 1, messages, runs, bytes, lastActivity: older?.lastActivity },
    );
    const nothing = { sessions: 0, messages: 0, runs: 0, bytes: 0, lastActivity: undefined };
    assert.deepEqual({ ...(await memory.counts("a", { sessionId: "state" })) }, nothing);
    assert.deepEqual({ ...(await memory.counts("nobody")) }, nothing);
  },

  "clears one session and keeps the user's other sessions": async ({ memory }) => {
    await memory.add(userMessage("1"), "a", { sessionId: "s1", state: { in: 1 } });
    await memory.add([userMessage("2"), assistantMessage("3")], "a", {
      sessionId: "s2",
      state: { in: 2 },
    });
    assert.deepEqual(await memory.clear("a", { sessionId: "s2" }), { messages: 2, sessions: 1 });
    assert.deepEqual(texts(await memory.getMessages("a")), ["1"]);
    assert.deepEqual(plain(await memory.getState("a", { sessionId: "s1" })), { in: 1 });
    assert.deepEqual(plain(await memory.getState("a", { sessionId: "s2" })), {});
    assert.equal((await memory.read("a", { sessionId: "s2" })).total, 0);
    assert.equal((await memory.users())[0]?.sessions, 1);
    await memory.clear("a", { sessionId: "s1" });
    assert.deepEqual(await memory.users(), []);
  },

  "clears everything of every user": async ({ memory }) => {
    assert.deepEqual(await memory.clearAll(), { users: 0, sessions: 0, messages: 0 });
    await memory.add(userMessage("1"), "a", { sessionId: "s1" });
    await memory.add([userMessage("2"), assistantMessage("3")], "a", { state: { key: 1 } });
    await memory.add(userMessage("4"), "b");
    assert.deepEqual(await memory.clearAll(), { users: 2, sessions: 3, messages: 4 });
    assert.deepEqual(await memory.users(), []);
    assert.deepEqual(plain(await memory.getState("a")), {});
  },
};
