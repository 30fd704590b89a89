import assert from "node:assert/strict";
import { assistantMessage, userMessage } from "../../messages.js";
import { texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";
import { RUN_IDS } from "./strange-values.js";

export const messageRuns: MemoryChecks = {
  "starts a run at each user message, and counts the messages after it to that run": async ({
    memory,
  }) => {
    const [q1, a1, q2, a2] = await memory.add(
      [userMessage("q1"), assistantMessage("a1"), userMessage("q2"), assistantMessage("a2")],
      "a",
    );
    const [late] = await memory.add(assistantMessage("late"), "a");
    const [other] = await memory.add(assistantMessage("other"), "a", { sessionId: "s" });
    assert.equal(q1?.runId, a1?.runId);
    assert.equal(q2?.runId, a2?.runId);
    assert.equal(late?.runId, q2?.runId);
    assert.equal(new Set([q1?.runId, q2?.runId, other?.runId]).size, 3);
  },

  "tells apart run ids that differ only after a NUL, also when later messages inherit them":
    async ({ memory }) => {
      for (const [index, runId] of RUN_IDS.entries()) {
        const sessionId = `s${index}`;
        await memory.add({ ...userMessage("q"), runId }, "a", { sessionId });
        await memory.add(assistantMessage("a"), "a", { sessionId });
        const messages = await memory.getMessages("a", { sessionId });
        assert.deepEqual(
          messages.map((message) => message.runId),
          [runId, runId],
        );
      }
    },

  "keeps a message's own run id and time, but never its own id or session": async ({ memory }) => {
    const brought = { runId: "r", createdAt: "2020-02-03T04:05:06.789Z", id: 99, sessionId: "x" };
    const [stored] = await memory.add({ ...userMessage("hi"), ...brought }, "a");
    assert.deepEqual(await memory.getMessages("a"), [stored]);
    assert.equal(stored?.runId, "r");
    assert.equal(stored?.createdAt, brought.createdAt);
    assert.equal(stored?.sessionId, "default");
    assert.notEqual(stored?.id, 99);
  },

  "numbers a user's messages upwards across all sessions": async ({ memory }) => {
    for (let index = 0; index < 6; index += 1)
      await memory.add(userMessage(`${index}`), "a", { sessionId: `s${index % 3}` });
    const all = await memory.getMessages("a");
    assert.deepEqual(texts(all), ["0", "1", "2", "3", "4", "5"]);
    const ids = all.map(({ id }) => id);
    assert.deepEqual(
      [...new Set(ids)].sort((left, right) => left - right),
      ids,
    );
  },
};
