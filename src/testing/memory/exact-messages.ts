import assert from "node:assert/strict";
import {
  assistantMessage,
  type NewMessage,
  type StoredMessage,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../messages.js";
import { plain, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";
import { RUN_IDS, STRANGE_TEXTS } from "./strange-values.js";

export const exactMessages: MemoryChecks = {
  "returns every kind of message exactly as added, plus its id, run, session and time": async ({
    memory,
    clock,
  }) => {
    const toolCalls = [{ id: "c1", name: "clock", arguments: "{not json" }];
    const run: NewMessage[] = [
      systemMessage("be kind"),
      userMessage("what time is it?"),
      assistantMessage("", toolCalls),
      toolMessage("c1", "broken", true),
      {
        ...assistantMessage("late"),
        interrupted: true,
        model: "m",
        usage: { inputTokens: 3, outputTokens: 1, estimated: true },
      },
      { ...assistantMessage("cut"), finishReason: "length", historySent: 0 },
    ];
    const stored = await memory.add(run, "a", { sessionId: "s" });
    assert.deepEqual(await memory.getMessages("a"), stored);
    assert.deepEqual((await memory.read("a", { sessionId: "s" })).messages, stored);
    for (const [index, message] of stored.entries()) {
      const { id, runId, sessionId, createdAt, ...rest } = message;
      assert.deepEqual(rest, run[index]);
      assert.equal(sessionId, "s");
      assert.equal(createdAt, new Date(clock.now).toISOString());
      assert.ok(runId.length > 0 && Number.isSafeInteger(id));
    }
  },

  "returns any text exactly": async ({ memory }) => {
    await memory.add(STRANGE_TEXTS.map(userMessage), "a");
    assert.deepEqual(texts(await memory.getMessages("a")), STRANGE_TEXTS);
    assert.deepEqual(texts((await memory.read("a")).messages), STRANGE_TEXTS);
  },

  "returns every field exactly, whatever text it holds": async ({ memory }) => {
    const given = STRANGE_TEXTS.flatMap((text, index): NewMessage[] => {
      const runId = RUN_IDS[index % RUN_IDS.length] as string;
      return [
        { ...userMessage(text), runId },
        {
          ...assistantMessage(text, [{ id: text, name: text, arguments: text }]),
          runId,
          model: text,
        },
        { ...toolMessage(text, text, true), runId },
      ];
    });
    await memory.add(given, "a");
    const stored = [await memory.getMessages("a"), (await memory.read("a")).messages];
    for (const messages of stored)
      assert.deepEqual(
        messages.map(({ id: _, sessionId: __, createdAt: ___, ...message }) => message),
        given,
      );
  },

  "stores no unknown key of a message": async ({ memory }) => {
    await memory.add({ ...userMessage("hi"), secret: 1 } as NewMessage, "a");
    const [message] = await memory.getMessages("a");
    assert.deepEqual(Object.keys(message as object).sort(), [
      "content",
      "createdAt",
      "id",
      "role",
      "runId",
      "sessionId",
    ]);
  },

  "returns copies: changing them does not change what is stored": async ({ memory }) => {
    const call = { id: "c", name: "n", arguments: "{}" };
    const usage = { inputTokens: 1, outputTokens: 1 };
    const given = { ...assistantMessage("hi", [call]), usage };
    await memory.add([userMessage("q"), given], "a", { state: { list: [1] } });
    call.name = usage.inputTokens = "changed" as never;
    const before = structuredClone(await memory.getMessages("a"));
    assert.deepEqual(before[1], {
      ...before[1],
      ...assistantMessage("hi", [{ ...call, name: "n" }]),
    });

    for (const message of await memory.getMessages("a")) overwriteDeeply(message);
    (await memory.getMessages("a")).length = 0;
    overwriteDeeply(await memory.getState("a"));
    const snapshot = await memory.read("a");
    overwriteDeeply(snapshot.state);
    attempt(() => (snapshot.messages as StoredMessage[]).splice(0));
    for (const message of (await memory.read("a")).messages)
      attempt(() => overwriteDeeply(message));
    assert.deepEqual(await memory.getMessages("a"), before);
    assert.deepEqual((await memory.read("a")).messages, before);
    assert.deepEqual(plain(await memory.getState("a")), { list: [1] });
  },
};

function overwriteDeeply(value: object): void {
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null) overwriteDeeply(inner);
    (value as Record<string, unknown>)[key] = "overwritten";
  }
}

/** A memory may share frozen values: then a change throws, which also leaves them unchanged. */
function attempt(change: () => unknown): void {
  try {
    change();
  } catch (error) {
    assert.ok(error instanceof TypeError);
  }
}
