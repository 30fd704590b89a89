import assert from "node:assert/strict";
import { assistantMessage, systemMessage, userMessage } from "../../messages.js";
import { rejects, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const messagePages: MemoryChecks = {
  "returns the most recent messages, oldest first, and pages back from there": async ({
    memory,
  }) => {
    for (let index = 0; index < 7; index += 1)
      await memory.add(index === 2 ? systemMessage("2") : userMessage(`${index}`), "a", {
        sessionId: index % 2 === 0 ? "even" : "odd",
      });
    const pageOf = async (options: object): Promise<string> =>
      texts(await memory.getMessages("a", options)).join("");
    assert.equal(await pageOf({ limit: 3 }), "456");
    assert.equal(await pageOf({ limit: 0 }), "");
    assert.equal(await pageOf({ limit: 100 }), "0123456");
    assert.equal(await pageOf({ sessionId: "even", limit: 3 }), "246");
    assert.equal(await pageOf({ sessionId: "odd", limit: 2 }), "35");

    const ids = (await memory.getMessages("a")).map(({ id }) => id);
    assert.equal(await pageOf({ before: ids[4], limit: 2 }), "23");
    assert.equal(await pageOf({ before: ids[0] }), "");
    assert.equal(await pageOf({ before: ids[5], sessionId: "even" }), "024");
    assert.equal(await pageOf({ before: ids[4], sessionId: "even", limit: 1 }), "2");
  },

  "pages forward from the beginning, or from any message": async ({ memory }) => {
    for (let index = 0; index < 7; index += 1)
      await memory.add(index === 2 ? systemMessage("2") : userMessage(`${index}`), "a", {
        sessionId: index % 2 === 0 ? "even" : "odd",
      });
    const pageOf = async (options: object): Promise<string> =>
      texts(await memory.getMessages("a", options)).join("");
    const ids = (await memory.getMessages("a")).map(({ id }) => id);
    assert.equal(await pageOf({ after: 0 }), "0123456");
    assert.equal(await pageOf({ after: 0, limit: 3 }), "012");
    assert.equal(await pageOf({ after: 0, limit: 0 }), "");
    assert.equal(await pageOf({ after: ids[2], limit: 3 }), "345");
    assert.equal(await pageOf({ after: ids[2], before: ids[5] }), "34");
    assert.equal(await pageOf({ after: ids[2], before: ids[5], limit: 1 }), "3");
    assert.equal(await pageOf({ after: ids[6] }), "");
    assert.equal(await pageOf({ after: ids[5], before: ids[2] }), "");
    assert.equal(await pageOf({ after: 0, sessionId: "even", limit: 2 }), "02");
    assert.equal(await pageOf({ after: ids[1], sessionId: "even", limit: 2 }), "24");
    assert.equal(await pageOf({ after: ids[1], sessionId: "odd" }), "35");
    assert.equal(await pageOf({ after: Infinity }), "");
  },

  "ends a page with the message that exceeds maxCharacters": async ({ memory }) => {
    const call = { id: "1", name: "clock", arguments: "x".repeat(10) };
    for (const length of [1, 2, 30, 4, 5])
      await memory.add(userMessage("x".repeat(length)), "a", { sessionId: `${length % 2}` });
    await memory.add(assistantMessage("x".repeat(6), [call]), "a", { sessionId: "0" });
    const pageOf = async (options: object): Promise<number[]> =>
      (await memory.getMessages("a", options)).map(({ content }) => content.length);
    assert.deepEqual(await pageOf({ after: 0, maxCharacters: 2 }), [1, 2]);
    assert.deepEqual(await pageOf({ after: 0, maxCharacters: 3 }), [1, 2, 30]);
    assert.deepEqual(await pageOf({ after: 0, maxCharacters: 0 }), [1]);
    assert.deepEqual(await pageOf({ after: 0, maxCharacters: 100, limit: 2 }), [1, 2]);
    assert.deepEqual(await pageOf({ after: 0, maxCharacters: 2, sessionId: "0" }), [2, 30]);
    assert.deepEqual(await pageOf({ maxCharacters: 15 }), [6]);
    assert.deepEqual(await pageOf({ maxCharacters: 16 }), [5, 6]);
    assert.deepEqual(await pageOf({ maxCharacters: 1, sessionId: "1" }), [5]);
    assert.deepEqual(await pageOf({ maxCharacters: Infinity, sessionId: "1" }), [1, 5]);
    await rejects("INVALID_INPUT", () => memory.getMessages("a", { maxCharacters: -1 }));
  },

  "reads the most recent messages, plus every system message": async ({ memory }) => {
    await memory.add([systemMessage("S"), userMessage("1"), assistantMessage("2")], "a");
    await memory.add([systemMessage("T"), userMessage("3"), assistantMessage("4")], "a");
    const windowOf = async (limit?: number): Promise<string> =>
      texts((await memory.read("a", { limit })).messages).join("");
    assert.equal(await windowOf(), "S12T34");
    assert.equal(await windowOf(3), "S2T34");
    assert.equal(await windowOf(1), "ST4");
    assert.equal(await windowOf(0), "ST");
    assert.equal((await memory.read("a", { limit: 1 })).total, 6);
  },

  "refuses a limit, before or after that is not a whole number from 0 up": async ({ memory }) => {
    for (const wrong of [-1, 0.5, Number.NaN, "2" as unknown as number]) {
      await rejects("INVALID_INPUT", () => memory.read("a", { limit: wrong }));
      await rejects("INVALID_INPUT", () => memory.getMessages("a", { limit: wrong }));
      await rejects("INVALID_INPUT", () => memory.getMessages("a", { before: wrong }));
      await rejects("INVALID_INPUT", () => memory.getMessages("a", { after: wrong }));
    }
  },
};
