import assert from "node:assert/strict";
import { AgnoChatError, type ErrorCode } from "../errors.js";
import type { Awaitable, Memory, SessionState, StatePatch } from "../memory/memory.js";
import {
  assistantMessage,
  type NewMessage,
  type StoredMessage,
  systemMessage,
  toolMessage,
  userMessage,
} from "../messages.js";
import { declareSuite, type Promises as SuitePromises, type SuiteRunner } from "./suite.js";

export interface MemoryConformanceOptions extends SuiteRunner {
  /** What is tested, for the title. */
  readonly name: string;
  /** A new, empty memory with this clock (milliseconds since 1970). It is closed after the test. */
  readonly open: (options: { readonly now: () => number }) => Awaitable<Memory>;
}

/** What a test of a memory works on. */
export interface MemoryBench {
  readonly memory: Memory;
  /** The memory's clock; a test sets it forward. */
  readonly clock: { now: number };
}

type Promises = SuitePromises<MemoryBench>;

/**
 * Checks every promise of the `Memory` contract, isolation first. Call it in a test file of your own memory; for a memory
 * over a store, call `storeConformance`, which checks these promises too.
 * @throws {Error} when `unsupported` names no test
 */
export function memoryConformance({ name, open, ...runner }: MemoryConformanceOptions): void {
  declareSuite<MemoryBench>(
    {
      title: `${name} keeps the memory contract`,
      groups: MEMORY_PROMISES,
      open: async () => {
        const clock = newClock();
        return { memory: await open({ now: () => clock.now }), clock };
      },
      close: ({ memory }) => memory.close(),
    },
    runner,
  );
}

export const newClock = (): MemoryBench["clock"] => ({ now: Date.UTC(2026, 0, 1) });

/** Valid ids that a careless store mixes up, loses or runs. */
const STRANGE_IDS = [
  "default",
  "__proto__",
  "constructor",
  "toString",
  "a",
  "A",
  "a.b",
  "a:b",
  "a/b",
  "../a",
  ".",
  "..",
  "%",
  "_",
  "%61",
  "*",
  "1",
  "01",
  "null",
  "undefined",
  "'; drop table users; --",
  '"',
  "\\",
  "a b",
  "ß",
  "ss",
  "é",
  "👩‍👩‍👧",
  "日本",
  "x".repeat(255),
  "😀".repeat(255),
];

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

/** Strings that only an exact store gives back. */
const STRANGE_TEXTS = [
  "",
  "\0",
  "a\0b",
  "\ud800",
  "x\udfff\ud83dy",
  "e\u0301",
  "é",
  "\r\n\t\u2028",
  '"\\',
  "👩‍👩‍👧",
  "x".repeat(100_000),
];

/** Run ids that only an exact store gives back. */
const RUN_IDS = [
  "r",
  "r\0one",
  "r\0two",
  "\0",
  '"',
  '"r"',
  "'r'",
  "\\u0000",
  " ",
  "e\u0301",
  "👩‍👩‍👧",
  "x".repeat(255),
];

const isolation: Promises = {
  "shows no user another user's messages or state, whatever their ids look like": async ({
    memory,
  }) => {
    for (const id of STRANGE_IDS)
      await memory.add(userMessage(`of ${id}`), id, { state: { owner: id } });
    for (const id of STRANGE_IDS) {
      assert.deepEqual(texts(await memory.getMessages(id)), [`of ${id}`]);
      assert.deepEqual(texts((await memory.read(id)).messages), [`of ${id}`]);
      assert.deepEqual(plain(await memory.getState(id)), { owner: id });
      assert.equal(await memory.size(id), 1);
    }
    const users = (await memory.users()).map(({ userId }) => userId);
    assert.deepEqual(users.sort(), [...STRANGE_IDS].sort());
  },

  "shows no session another session's messages or state, whatever their ids look like": async ({
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
    }
  },

  "refuses ids that could be mistaken for others, and stores nothing for them": async ({
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

  "clears one user and leaves every other as it was": async ({ memory }) => {
    for (const id of STRANGE_IDS) await memory.add(userMessage(id), id, { state: { id } });
    for (const [index, id] of STRANGE_IDS.entries()) {
      assert.deepEqual(await memory.clear(id), { messages: 1, sessions: 1 });
      assert.deepEqual(await memory.getMessages(id), []);
      assert.deepEqual(plain(await memory.getState(id)), {});
      assert.equal((await memory.users()).length, STRANGE_IDS.length - index - 1);
    }
  },

  "keeps 10 messages of one user, 5 of another and 0 of a third apart (S12)": async ({
    memory,
  }) => {
    for (let index = 0; index < 10; index += 1) await memory.add(userMessage(`${index}`), "a");
    for (let index = 0; index < 5; index += 1) await memory.add(userMessage(`${index}`), "b");
    assert.deepEqual(
      [await memory.size("a"), await memory.size("b"), await memory.size("c")],
      [10, 5, 0],
    );
  },

  "loses and mixes up nothing when 10 users write 100 times at once (S11)": async ({ memory }) => {
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

const defaults: Promises = {
  "takes a missing or empty user id for the user default (S5)": async ({ memory }) => {
    await memory.add(userMessage("one"));
    await memory.add(userMessage("two"), "");
    assert.deepEqual(texts(await memory.getMessages("default")), ["one", "two"]);
    assert.equal(await memory.size(), 2);
    assert.equal((await memory.sessions()).length, 1);
    assert.deepEqual(await memory.clear(""), { messages: 2, sessions: 1 });
  },

  "takes a missing session for default in add, read and getState, for all in the rest": async ({
    memory,
  }) => {
    await memory.add(userMessage("here"), "a", { state: { here: true } });
    await memory.add(userMessage("there"), "a", { sessionId: "s2", state: { there: true } });
    assert.deepEqual(texts((await memory.read("a")).messages), ["here"]);
    assert.deepEqual(plain(await memory.getState("a")), { here: true });
    assert.deepEqual(texts(await memory.getMessages("a")), ["here", "there"]);
    assert.equal(await memory.size("a"), 2);
    assert.equal(await memory.size("a", { sessionId: "default" }), 1);
    assert.deepEqual(await memory.clear("a"), { messages: 2, sessions: 2 });
  },

  "answers empty for users and sessions never seen, and remembers no question": async ({
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

const messages: Promises = {
  "gives back every kind of message exactly, stamped": async ({ memory, clock }) => {
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

  "gives back any text exactly": async ({ memory }) => {
    await memory.add(STRANGE_TEXTS.map(userMessage), "a");
    assert.deepEqual(texts(await memory.getMessages("a")), STRANGE_TEXTS);
    assert.deepEqual(texts((await memory.read("a")).messages), STRANGE_TEXTS);
  },

  "gives back every field exactly, whatever text it holds": async ({ memory }) => {
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

  "keeps run ids apart that differ behind a NUL, also for what follows them": async ({
    memory,
  }) => {
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

  "numbers the messages of a user upwards over all sessions": async ({ memory }) => {
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

  "gives a run to each user message and to what follows it": async ({ memory }) => {
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

  "keeps the run and the time a message brings, never its id or session": async ({ memory }) => {
    const brought = { runId: "r", createdAt: "2020-02-03T04:05:06.789Z", id: 99, sessionId: "x" };
    const [stored] = await memory.add({ ...userMessage("hi"), ...brought }, "a");
    assert.deepEqual(await memory.getMessages("a"), [stored]);
    assert.equal(stored?.runId, "r");
    assert.equal(stored?.createdAt, brought.createdAt);
    assert.equal(stored?.sessionId, "default");
    assert.notEqual(stored?.id, 99);
  },

  "stores no key it does not know": async ({ memory }) => {
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

  "returns copies: changing them changes nothing stored (S17)": async ({ memory }) => {
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

    for (const spoil of await memory.getMessages("a")) spoilDeeply(spoil);
    (await memory.getMessages("a")).length = 0;
    spoilDeeply(await memory.getState("a"));
    const snapshot = await memory.read("a");
    spoilDeeply(snapshot.state);
    attempt(() => (snapshot.messages as StoredMessage[]).splice(0));
    for (const message of (await memory.read("a")).messages) attempt(() => spoilDeeply(message));
    assert.deepEqual(await memory.getMessages("a"), before);
    assert.deepEqual((await memory.read("a")).messages, before);
    assert.deepEqual(plain(await memory.getState("a")), { list: [1] });
  },

  "stores all of an add or nothing": async ({ memory }) => {
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

const paging: Promises = {
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

  "ends a page with the message that goes beyond its characters": async ({ memory }) => {
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

  "reads a window of the most recent messages, with every system message": async ({ memory }) => {
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

  "refuses a limit or place that is no whole number from 0 up": async ({ memory }) => {
    for (const wrong of [-1, 0.5, Number.NaN, "2" as unknown as number]) {
      await rejects("INVALID_INPUT", () => memory.read("a", { limit: wrong }));
      await rejects("INVALID_INPUT", () => memory.getMessages("a", { limit: wrong }));
      await rejects("INVALID_INPUT", () => memory.getMessages("a", { before: wrong }));
      await rejects("INVALID_INPUT", () => memory.getMessages("a", { after: wrong }));
    }
  },
};

const states: Promises = {
  "merges patches key by key and deletes keys set to undefined": async ({ memory }) => {
    await memory.add([], "a", { state: { a: 1, b: { deep: [true, null, "x"] } } });
    await memory.add(userMessage("hi"), "a", { state: { a: 2, c: "new" } });
    await memory.add([], "a", { state: { b: undefined, never: undefined } });
    assert.deepEqual(plain(await memory.getState("a")), { a: 2, c: "new" });
    assert.deepEqual(plain((await memory.read("a")).state), { a: 2, c: "new" });
  },

  "takes any string for a key, also __proto__": async ({ memory }) => {
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

  "stores nothing when a key it builds on was changed, added or deleted meanwhile": async ({
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

  "loses no change of writers that repeat theirs after a conflict": async ({ memory }) => {
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

  "replaces the last run of a session in the step that stores the new one": async ({ memory }) => {
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

  "replaces no run but the last of that user and session, and stores nothing then": async ({
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

  "tells a clear from a conflict, and refuses expectations that are not JSON": async ({
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

  "forgets a session, and a user, of which only deleted state was left": async ({ memory }) => {
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

const generations: Promises = {
  "refuses to continue a history that was cleared, and stores nothing": async ({ memory }) => {
    for (const [index, clear] of OWN_CLEARS.entries())
      for (const first of [false, true]) {
        const user = `user-${index}-${first}`;
        if (!first) await memory.add(userMessage("old"), user);
        const { generation } = await memory.read(user);
        if (first) await memory.add(userMessage("of another run"), user);
        await clear(memory, user);
        const state = { key: 1 };
        await rejects("HISTORY_CLEARED", () =>
          memory.add(userMessage("x"), user, { generation, state }),
        );
        await rejects("HISTORY_CLEARED", () => memory.add([], user, { generation }));
        assert.equal(await memory.size(user), 0);
        assert.deepEqual(plain(await memory.getState(user)), {});
        // Someone else began anew meanwhile: the old run still does not belong there.
        await memory.add(userMessage("new"), user);
        await rejects("HISTORY_CLEARED", () => memory.add(userMessage("x"), user, { generation }));
        assert.deepEqual(texts(await memory.getMessages(user)), ["new"]);
      }
  },

  "ends no run by a clear that found nothing": async ({ memory }) => {
    const { generation } = await memory.read("a");
    for (const clear of OWN_CLEARS) await clear(memory, "a");
    await memory.removeInactive(0);
    assert.equal((await memory.read("a")).generation, generation);
    await memory.add(userMessage("first"), "a", { generation });
    assert.deepEqual(texts(await memory.getMessages("a")), ["first"]);
  },

  "continues a history when only another user or session was cleared": async ({ memory }) => {
    for (const stored of [false, true]) {
      const user = `user-${stored}`;
      if (stored) await memory.add(userMessage("old"), user);
      await memory.add(userMessage("hi"), user, { sessionId: "another" });
      const { generation } = await memory.read(user);
      for (const scope of [{}, { sessionId: "default" }]) {
        await memory.add(userMessage("hi"), "someone else");
        await memory.clear("someone else", scope);
      }
      await memory.clear(user, { sessionId: "another" });
      await memory.add(userMessage("new"), user, { generation });
      assert.equal(await memory.size(user), stored ? 2 : 1);
    }
  },

  "continues after adds of others, and starts anew after a clear with a new read": async ({
    memory,
  }) => {
    const before = await memory.read("a");
    await memory.add(userMessage("meanwhile"), "a");
    await memory.add(userMessage("late"), "a", { generation: before.generation });
    await memory.clear("a");
    const after = await memory.read("a");
    await memory.add(userMessage("anew"), "a", { generation: after.generation });
    assert.deepEqual(texts(await memory.getMessages("a")), ["anew"]);
    assert.equal((await memory.read("a")).total, 1);
  },

  "refuses a generation it never gave": async ({ memory }) => {
    const { generation } = await memory.read("a");
    await rejects("HISTORY_CLEARED", () =>
      memory.add(userMessage("x"), "a", { generation: generation + 1 }),
    );
  },

  "refuses to continue what an idle sweep removed, not what it left": async ({ memory, clock }) => {
    await memory.add(userMessage("old"), "idle");
    const idle = await memory.read("idle");
    clock.now += 2_000;
    await memory.add(userMessage("fresh"), "busy");
    const busy = await memory.read("busy");
    await memory.removeInactive(1_000);
    await rejects("HISTORY_CLEARED", () =>
      memory.add(userMessage("x"), "idle", { generation: idle.generation }),
    );
    await memory.add(userMessage("more"), "busy", { generation: busy.generation });
    assert.deepEqual([await memory.size("idle"), await memory.size("busy")], [0, 2]);
  },

  "ends no first run by any number of clears of others, on whatever day": async ({
    memory,
    clock,
  }) => {
    const { generation } = await memory.read("first");
    for (let index = 0; index < 30; index += 1) {
      clock.now += 45 * 60_000;
      await memory.add(userMessage("hi"), `user-${index}`);
      await memory.add(userMessage("hi"), "first", { sessionId: "another" });
      await memory.clear(`user-${index}`);
      await memory.clear("first", { sessionId: "another" });
    }
    await memory.add(userMessage("mine"), "first", { generation });
    assert.deepEqual(texts(await memory.getMessages("first")), ["mine"]);
  },

  "brings nothing cleared back when it no longer knows, and keeps sessions that stayed": async ({
    memory,
    clock,
  }) => {
    await memory.add(userMessage("old"), "stayed");
    const { generation } = await memory.read("cleared");
    await memory.add(userMessage("of another run"), "cleared");
    await memory.clear("cleared");
    for (let day = 0; day < 5; day += 1) {
      clock.now += 25 * 3_600_000;
      await memory.add(userMessage("hi"), "someone else");
      await memory.clear("someone else");
    }
    await rejects("HISTORY_CLEARED", () => memory.add(userMessage("x"), "cleared", { generation }));
    await memory.add(userMessage("late"), "stayed", { generation });
    assert.equal(await memory.size("stayed"), 2);
  },
};

/** Each clears at least what the user has in the session `default`. */
const OWN_CLEARS: readonly ((memory: Memory, user: string) => Awaitable<unknown>)[] = [
  (memory, user) => memory.clear(user),
  (memory, user) => memory.clear(user, { sessionId: "default" }),
  (memory) => memory.clearAll(),
];

const figures: Promises = {
  "lists users and sessions, the most recently active first": async ({ memory, clock }) => {
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
    const [recent, older] = await memory.sessions("alice");
    const bytes = stored.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)),
      0,
    );
    assert.deepEqual({ ...recent }, { sessionId: "s2", messages: 2, runs: 2, bytes, lastActivity });
    assert.deepEqual([older?.sessionId, older?.messages, older?.runs], ["default", 2, 1]);
  },

  "clears one session and keeps the user's others": async ({ memory }) => {
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

  "clears everything of everyone": async ({ memory }) => {
    assert.deepEqual(await memory.clearAll(), { users: 0, sessions: 0, messages: 0 });
    await memory.add(userMessage("1"), "a", { sessionId: "s1" });
    await memory.add([userMessage("2"), assistantMessage("3")], "a", { state: { key: 1 } });
    await memory.add(userMessage("4"), "b");
    assert.deepEqual(await memory.clearAll(), { users: 2, sessions: 3, messages: 4 });
    assert.deepEqual(await memory.users(), []);
    assert.deepEqual(plain(await memory.getState("a")), {});
  },

  "removes users idle for longer than an age, whole, and no other (S14)": async ({
    memory,
    clock,
  }) => {
    await memory.add([userMessage("q"), assistantMessage("a")], "old");
    await memory.add(userMessage("q"), "old", { sessionId: "s2", state: { key: 1 } });
    await memory.add(userMessage("q"), "old but running");
    await memory.add(userMessage("q"), "back again");
    clock.now += 1;
    await memory.add(userMessage("q"), "just in time");
    clock.now += 1_000;
    await memory.add([], "back again", { state: { key: 1 } });
    assert.deepEqual(await memory.removeInactive(1_000, { except: new Set(["old but running"]) }), {
      users: 1,
      sessions: 2,
      messages: 3,
    });
    const left = (await memory.users()).map(({ userId }) => userId);
    assert.deepEqual(left.sort(), ["back again", "just in time", "old but running"]);
    assert.deepEqual(plain(await memory.getState("old", { sessionId: "s2" })), {});
    assert.equal((await memory.removeInactive(Infinity)).users, 0);
  },

  "removes any number of idle users": async ({ memory, clock }) => {
    for (let index = 0; index < 120; index += 1)
      await memory.add(userMessage("q"), `user-${index}`);
    clock.now += 10;
    assert.deepEqual(await memory.removeInactive(0, { force: true }), {
      users: 120,
      sessions: 120,
      messages: 120,
    });
    assert.deepEqual(await memory.users(), []);
  },

  "removes nobody when a wrong clock makes most users look idle, unless told to": async ({
    memory,
    clock,
  }) => {
    for (const user of ["a", "b", "c", "d", "e", "f"]) await memory.add(userMessage("hi"), user);
    clock.now += 365 * 86_400_000;
    for (const user of ["g", "h", "i", "j", "k"]) await memory.add(userMessage("hi"), user);
    await rejects("TOO_MANY_INACTIVE", () => memory.removeInactive(1_000));
    await rejects("TOO_MANY_INACTIVE", () => memory.removeInactive(1_000, { force: false }));
    assert.equal((await memory.users()).length, 11);
    await memory.add(userMessage("hi"), "l");
    assert.equal((await memory.removeInactive(1_000)).users, 6);

    clock.now += 365 * 86_400_000;
    await rejects("TOO_MANY_INACTIVE", () => memory.removeInactive(1_000));
    assert.equal((await memory.removeInactive(1_000, { force: true })).users, 6);
    await memory.add(userMessage("hi"), "a");
    clock.now += 2_000;
    assert.equal((await memory.removeInactive(1_000)).users, 1);
  },

  "never lets a user's last activity go back with the clock": async ({ memory, clock }) => {
    const { now } = clock;
    await memory.add(userMessage("early"), "a");
    clock.now -= 365 * 86_400_000;
    await memory.add(userMessage("late"), "a", { state: { key: 1 } });
    await memory.add([], "a", { sessionId: "s2", state: { key: 1 } });
    const [user] = await memory.users();
    assert.equal(user?.lastActivity, new Date(now).toISOString());
    const sessions = await memory.sessions("a");
    assert.deepEqual(
      sessions.map(({ lastActivity }) => lastActivity),
      [now, clock.now].map((time) => new Date(time).toISOString()),
    );
    clock.now = now + 500;
    assert.equal((await memory.removeInactive(1_000)).users, 0);
    clock.now = now + 1_001;
    assert.equal((await memory.removeInactive(1_000)).users, 1);
  },

  "refuses an age that is no duration": async ({ memory }) => {
    for (const wrong of [-1, Number.NaN, "1" as unknown as number])
      await rejects("INVALID_INPUT", () => memory.removeInactive(wrong));
  },
};

const closing: Promises = {
  "refuses every call once closed, and closes twice quietly": async ({ memory }) => {
    await memory.add(userMessage("hi"), "a");
    await memory.close();
    await memory.close();
    const calls: readonly (() => Awaitable<unknown>)[] = [
      () => memory.add(userMessage("hi"), "a"),
      () => memory.read("a"),
      () => memory.getMessages("a"),
      () => memory.getState("a"),
      () => memory.size("a"),
      () => memory.clear("a"),
      () => memory.clearAll(),
      () => memory.users(),
      () => memory.sessions("a"),
      () => memory.removeInactive(0),
    ];
    for (const call of calls) await rejects("STORE_CLOSED", call);
  },
};

export const MEMORY_PROMISES: Readonly<Record<string, Promises>> = {
  isolation,
  defaults,
  messages,
  paging,
  "session state": states,
  generations,
  "figures and clearing": figures,
  closing,
};

const texts = (stored: readonly StoredMessage[]): string[] => stored.map(({ content }) => content);

/** As entries, so that neither the prototype nor the order of keys matters. */
const plain = (state: SessionState): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).sort(([left], [right]) => (left < right ? -1 : 1)));

async function rejects(code: ErrorCode, call: () => Awaitable<unknown>): Promise<AgnoChatError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof AgnoChatError, `expected ${code}, got ${String(error)}`);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message, /\n/);
    return error;
  }
  throw new assert.AssertionError({ message: `expected ${code}, but nothing was thrown` });
}

function spoilDeeply(value: object): void {
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null) spoilDeeply(inner);
    (value as Record<string, unknown>)[key] = "spoilt";
  }
}

/** Writing to what a memory shares throws: that is one way of not being changed. */
function attempt(change: () => unknown): void {
  try {
    change();
  } catch (error) {
    assert.ok(error instanceof TypeError);
  }
}
