import assert from "node:assert/strict";
import { assistantMessage, systemMessage, userMessage } from "../../messages.js";
import { plain, rejects, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const runReplacement: MemoryChecks = {
  "replaces the last run of a session and stores the new one in the same step": async ({
    memory,
  }) => {
    const run = (runId: string, text: string) =>
      [userMessage("question"), assistantMessage(text)].map((message) => ({ ...message, runId }));
    await memory.add(run("first", "one"), "a", { state: { key: 1 } });
    await memory.add(systemMessage("rule"), "a");
    await memory.add(run("other", "elsewhere"), "a", { sessionId: "work" });
    await memory.add(run("second", "two"), "a");
    const { total } = await memory.read("a");
    await memory.add(run("third", "a longer two"), "a", { replaceRun: "second" });

    const messages = await memory.getMessages("a", { sessionId: "default" });
    assert.deepEqual(texts(messages), ["question", "one", "rule", "question", "a longer two"]);
    assert.deepEqual(plain(await memory.getState("a")), { key: 1 });
    assert.equal((await memory.read("a")).total, total);
    const session = (await memory.sessions("a")).find(({ sessionId }) => sessionId === "default");
    const { lastActivity: _, ...counts } = session ?? { lastActivity: "" };
    const bytes = messages.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)),
      0,
    );
    assert.deepEqual(counts, { sessionId: "default", messages: 5, runs: 2, bytes });
    assert.equal(await memory.size("a"), 7);
    await memory.add(run("fourth", "last"), "a", { replaceRun: "third" });
    assert.deepEqual(texts(await memory.getMessages("a", { limit: 1 })), ["last"]);
  },

  "refuses to replace any run but the last of that user and session, and stores nothing": async ({
    memory,
  }) => {
    const run = (runId: string) => [{ ...userMessage(runId), runId }];
    for (const user of ["a", "b"])
      for (const runId of ["first", "second"]) await memory.add(run(runId), user);
    await memory.add(run("elsewhere"), "a", { sessionId: "work" });
    for (const [user, sessionId, replaceRun] of [
      ["a", "default", "first"],
      ["a", "default", "never"],
      ["a", "default", "elsewhere"],
      ["a", "unknown", "second"],
      ["nobody", "default", "second"],
    ] as const)
      await rejects("RUN_CONFLICT", () =>
        memory.add(run("new"), user, { sessionId, replaceRun, state: { key: 1 } }),
      );
    await memory.add(run("third"), "b", { replaceRun: "second" });
    await rejects("RUN_CONFLICT", () => memory.add(run("late"), "b", { replaceRun: "second" }));
    await rejects("INVALID_INPUT", () => memory.add([], "b", { replaceRun: "third" }));
    assert.deepEqual(texts(await memory.getMessages("a")), ["first", "second", "elsewhere"]);
    assert.deepEqual(texts(await memory.getMessages("b")), ["first", "third"]);
    assert.equal((await memory.users()).length, 2);
  },

  "adds to a session with another total than is given neither messages nor state": async ({
    memory,
  }) => {
    const add = (text: string, total: number, user = "a") =>
      memory.add(userMessage(text), user, { total, state: { [text]: true } });
    await add("first", 0);
    await memory.add(systemMessage("rule"), "a");
    await memory.add(userMessage("elsewhere"), "a", { sessionId: "work" });
    for (const total of [0, 1, 3, -1, 1.5]) await rejects("RUN_CONFLICT", () => add("late", total));
    await rejects("RUN_CONFLICT", () => add("late", 2, "nobody"));
    await add("second", (await memory.read("a")).total);
    await memory.clear("a", { sessionId: "default" });
    await rejects("RUN_CONFLICT", () => add("late", 3));
    await add("third", 0);
    assert.deepEqual(texts(await memory.getMessages("a")), ["elsewhere", "third"]);
    assert.deepEqual(plain(await memory.getState("a")), { third: true });
    assert.equal((await memory.users()).length, 1);
  },

  "lets one of several adds with the same total through": async ({ memory }) => {
    const contents = Array.from({ length: 8 }, (_, index) => `${index}`);
    const added = await Promise.allSettled(
      contents.map(async (text) => memory.add(userMessage(text), "a", { total: 0 })),
    );
    const stored = contents.filter((_, index) => added[index]?.status === "fulfilled");
    assert.equal(stored.length, 1);
    assert.deepEqual(texts(await memory.getMessages("a")), stored);
  },
};
