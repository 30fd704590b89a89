import assert from "node:assert/strict";
import { userMessage } from "../../messages.js";
import { plain, rejects, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";
import { STRANGE_IDS } from "./strange-values.js";

/** Too long, not normalised, not well-formed, or with characters that cannot be seen. */
const REFUSED_IDS = [
  "x".repeat(256),
  "😀".repeat(256),
  "e\u0301",
  "\ud83d",
  "a\nb",
  "a\0b",
  " a",
  "a ",
  "a\u200bb",
  "a\u202eb",
];

export const userIsolation: MemoryChecks = {
  "never shows one user's messages or state to another, whatever their ids look like": async ({
    memory,
  }) => {
    for (const id of STRANGE_IDS)
      await memory.add(userMessage(`of ${id}`), id, { state: { owner: id } });
    for (const id of STRANGE_IDS) {
      assert.deepEqual(texts(await memory.getMessages(id)), [`of ${id}`]);
      assert.deepEqual(texts((await memory.read(id)).messages), [`of ${id}`]);
      assert.deepEqual(plain(await memory.getState(id)), { owner: id });
      assert.equal(await memory.size(id), 1);
      assert.equal((await memory.counts?.(id))?.messages ?? 1, 1);
    }
    const users = (await memory.users()).map(({ userId }) => userId);
    assert.deepEqual(users.sort(), [...STRANGE_IDS].sort());
  },

  "never shows one session's messages or state in another, whatever their ids look like": async ({
    memory,
  }) => {
    for (const sessionId of STRANGE_IDS)
      await memory.add(userMessage(`in ${sessionId}`), "alice", {
        sessionId,
        state: { sessionId },
      });
    for (const sessionId of STRANGE_IDS) {
      assert.deepEqual(texts(await memory.getMessages("alice", { sessionId })), [
        `in ${sessionId}`,
      ]);
      assert.deepEqual(texts((await memory.read("alice", { sessionId })).messages), [
        `in ${sessionId}`,
      ]);
      assert.deepEqual(plain(await memory.getState("alice", { sessionId })), { sessionId });
      assert.equal(await memory.size("alice", { sessionId }), 1);
      assert.equal((await memory.counts?.("alice", { sessionId }))?.messages ?? 1, 1);
    }
  },

  "refuses ids that could be mistaken for others, and stores nothing under them": async ({
    memory,
  }) => {
    for (const id of REFUSED_IDS) {
      const sessionId = id;
      await rejects("INVALID_USER_ID", () => memory.add(userMessage("hi"), id));
      await rejects("INVALID_USER_ID", () => memory.read(id));
      await rejects("INVALID_USER_ID", () => memory.getMessages(id));
      await rejects("INVALID_USER_ID", () => memory.getState(id));
      await rejects("INVALID_USER_ID", () => memory.size(id));
      await rejects("INVALID_USER_ID", () => memory.clear(id));
      await rejects("INVALID_USER_ID", () => memory.sessions(id));
      await rejects("INVALID_SESSION_ID", () => memory.add(userMessage("hi"), "a", { sessionId }));
      await rejects("INVALID_SESSION_ID", () => memory.getMessages("a", { sessionId }));
      await rejects("INVALID_SESSION_ID", () => memory.clear("a", { sessionId }));
    }
    await rejects("INVALID_SESSION_ID", () => memory.clear("a", { sessionId: "" }));
    await rejects("INVALID_USER_ID", () => memory.clear(null as unknown as string));
    await rejects("INVALID_SESSION_ID", () =>
      memory.clear("a", { sessionId: null as unknown as string }),
    );
    assert.deepEqual(await memory.users(), []);
  },

  "clears one user and leaves every other user unchanged": async ({ memory }) => {
    for (const id of STRANGE_IDS) await memory.add(userMessage(id), id, { state: { id } });
    for (const [index, id] of STRANGE_IDS.entries()) {
      assert.deepEqual(await memory.clear(id), { messages: 1, sessions: 1 });
      assert.deepEqual(await memory.getMessages(id), []);
      assert.deepEqual(plain(await memory.getState(id)), {});
      assert.equal((await memory.users()).length, STRANGE_IDS.length - index - 1);
    }
  },

  "counts each user's messages separately: 10, 5 and 0": async ({ memory }) => {
    for (let index = 0; index < 10; index += 1) await memory.add(userMessage(`${index}`), "a");
    for (let index = 0; index < 5; index += 1) await memory.add(userMessage(`${index}`), "b");
    assert.deepEqual(
      [await memory.size("a"), await memory.size("b"), await memory.size("c")],
      [10, 5, 0],
    );
  },

  "loses no message and mixes up no users when 10 users write 100 times each at once": async ({
    memory,
  }) => {
    const users = Array.from({ length: 10 }, (_, index) => `user-${index}`);
    const rounds = Array.from({ length: 100 }, (_, index) => `${index}`);
    await Promise.all(
      rounds.flatMap((round) =>
        users.map(async (user) => memory.add(userMessage(`${user} ${round}`), user)),
      ),
    );
    for (const user of users) {
      assert.equal(await memory.size(user), 100);
      assert.deepEqual(
        texts(await memory.getMessages(user)),
        rounds.map((round) => `${user} ${round}`),
      );
    }
  },
};
