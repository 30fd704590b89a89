import assert from "node:assert/strict";
import { type NewMessage, userMessage } from "../../messages.js";
import { plain, rejects, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

/** Each breaks one rule of a message. */
const BAD_MESSAGES: readonly unknown[] = [
  null,
  "hi",
  {},
  { role: "user" },
  { role: "user", content: null },
  { role: "robot", content: "hi" },
  { role: "tool", content: "hi" },
  { role: "tool", content: "hi", toolCallId: 1 },
  { role: "tool", content: "hi", toolCallId: "c", isError: "yes" },
  { role: "assistant", content: "hi", toolCalls: {} },
  { role: "assistant", content: "hi", toolCalls: [null] },
  { role: "assistant", content: "hi", toolCalls: [{ id: "c", name: "n" }] },
  { role: "assistant", content: "hi", interrupted: 1 },
  { role: "assistant", content: "hi", finishReason: "stop" },
  { role: "assistant", content: "hi", model: 1 },
  { role: "assistant", content: "hi", usage: null },
  { role: "assistant", content: "hi", usage: { inputTokens: 1 } },
  { role: "assistant", content: "hi", usage: { inputTokens: -1, outputTokens: 1 } },
  { role: "assistant", content: "hi", historySent: -1 },
  { role: "assistant", content: "hi", historySent: "2" },
  { role: "user", content: "hi", runId: "" },
  { role: "user", content: "hi", runId: "\ud800" },
  { role: "user", content: "hi", createdAt: "yesterday" },
  { role: "user", content: "hi", createdAt: "2026-99-99T00:00:00Z" },
];

export const wholeAdds: MemoryChecks = {
  "stores everything of one add or nothing": async ({ memory }) => {
    await memory.add(userMessage("before"), "a", { state: { key: "before" } });
    for (const bad of BAD_MESSAGES)
      await rejects("INVALID_MESSAGE", () =>
        memory.add([userMessage("good"), bad as NewMessage], "a", { state: { key: "after" } }),
      );
    await rejects("INVALID_STATE", () =>
      memory.add(userMessage("good"), "a", { state: { key: "after", bad: Number.NaN } }),
    );
    assert.deepEqual(texts(await memory.getMessages("a")), ["before"]);
    assert.deepEqual(plain(await memory.getState("a")), { key: "before" });
  },
};
