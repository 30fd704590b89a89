import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExportFormat, UserExport } from "../../src/data/user-export.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { assistantMessage, type NewMessage, userMessage } from "../../src/messages.js";
import { MEMORIES } from "../agent/support.js";

const runOf = (index: number): NewMessage[] => [
  userMessage(`question ${index}`),
  assistantMessage(`answer ${index}`),
];

async function fill(memory: Memory, userId: string, runs: number): Promise<void> {
  for (let index = 0; index < runs; index += 1)
    await memory.add(runOf(index), userId, { sessionId: index % 3 === 0 ? "work" : "home" });
}

/** The whole text; `meanwhile` runs after the first chunk. */
async function textOf(chunks: AsyncIterable<string>, meanwhile = async () => {}): Promise<string> {
  let text = "";
  for await (const chunk of chunks) {
    if (text === "") await meanwhile();
    text += chunk;
  }
  return text;
}

const contentsOf = (messages: readonly { content: string }[]) =>
  messages.map(({ content }) => content);

describe.each(MEMORIES)("an export from $name", ({ open }) => {
  test("as json is one document with every message, oldest first, and every state", async () => {
    const memory = open();
    await fill(memory, "alice", 300);
    await memory.add([], "alice", { sessionId: "work", state: { mood: "good" } });
    await fill(memory, "bob", 1);
    const text = new UserExport(memory, "alice");
    expect(JSON.parse(await textOf(text))).toEqual({
      user: "alice",
      session: null,
      messages: await memory.getMessages("alice"),
      state: { work: { mood: "good" } },
    });
    expect(text.messages).toBe(600);
    const one = new UserExport(memory, "alice", { sessionId: "home", fields: { ok: true } });
    expect(JSON.parse(await textOf(one))).toEqual({
      ok: true,
      messages: await memory.getMessages("alice", { sessionId: "home" }),
      state: {},
    });
  });

  test("as jsonl or md has every message exactly once and in order", async () => {
    const memory = open();
    await fill(memory, "alice", 100);
    const messages = await memory.getMessages("alice");
    const lines = await textOf(new UserExport(memory, "alice", { format: "jsonl" }));
    expect(lines).toBe(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
    const markdown = await textOf(new UserExport(memory, "alice", { format: "md" }));
    expect(markdown.match(/^(question|answer) \d+$/gm)).toEqual(contentsOf(messages));
  });

  test("of an unknown user is an empty document", async () => {
    const memory = open();
    const of = (format: ExportFormat) => textOf(new UserExport(memory, "nobody", { format }));
    expect(JSON.parse(await of("json"))).toMatchObject({ messages: [], state: {} });
    expect([await of("jsonl"), await of("md")]).toEqual(["", "# nobody\n"]);
  });

  test("leaves out messages that are added meanwhile", async () => {
    const memory = open();
    await fill(memory, "alice", 100);
    const before = await memory.getMessages("alice");
    const text = await textOf(new UserExport(memory, "alice"), () => fill(memory, "alice", 100));
    expect(JSON.parse(text).messages).toEqual(before);
  });

  test.each([
    ["the user", {}],
    ["one session", { sessionId: "work" }],
  ])("fails if %s is cleared meanwhile, even if new messages follow", async (_, scope) => {
    const memory = open();
    await fill(memory, "alice", 100);
    const clear = async () => void (await memory.clear("alice", scope));
    await expect(textOf(new UserExport(memory, "alice"), clear)).rejects.toMatchObject({
      code: "HISTORY_CLEARED",
    });
    const clearAndFill = async () => {
      await clear();
      await fill(memory, "alice", 10);
    };
    await fill(memory, "alice", 100);
    await expect(textOf(new UserExport(memory, "alice"), clearAndFill)).rejects.toMatchObject({
      code: "HISTORY_CLEARED",
    });
  });

  test("ends with the reason of an aborted signal", async () => {
    const memory = open();
    await fill(memory, "alice", 100);
    const controller = new AbortController();
    const text = new UserExport(memory, "alice", { signal: controller.signal });
    const reason = new Error("enough");
    await expect(textOf(text, async () => controller.abort(reason))).rejects.toBe(reason);
  });
});

test("an export lets other work run between two chunks, and no chunk is long", async () => {
  const memory = new InMemory();
  for (let index = 0; index < 50; index += 1) {
    await fill(memory, "alice", 20);
    await memory.add(userMessage("x".repeat(100_000)), "alice");
  }
  let turns = 0;
  let isDone = false;
  const otherWork = (async () => {
    for (; !isDone; turns += 1) await nextTurn();
  })();
  let chunks = 0;
  for await (const chunk of new UserExport(memory, "alice")) {
    chunks += 1;
    expect(chunk.length).toBeLessThan(500_000);
  }
  isDone = true;
  await otherWork;
  expect(chunks).toBeGreaterThan(10);
  expect(turns).toBeGreaterThanOrEqual(chunks - 2);
});

test.each(MEMORIES)("an export does not read long messages together: $name", async ({ open }) => {
  const memory = open();
  await fill(memory, "alice", 200);
  for (let index = 0; index < 20; index += 1)
    await memory.add(userMessage("x".repeat(300_000)), "alice");
  for await (const chunk of new UserExport(memory, "alice"))
    expect(chunk.length).toBeLessThan(600_000);
});

test("an export has every message once and in order, whatever their lengths", async () => {
  const lengths = fc.array(
    fc.record({
      length: fc.oneof(fc.nat(20), fc.constantFrom(50_000, 300_000)),
      session: fc.constantFrom("a", "b"),
    }),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(lengths, async (said) => {
      const memory = new InMemory();
      for (const { length, session } of said)
        memory.add(userMessage("x".repeat(length)), "alice", { sessionId: session });
      const { messages } = JSON.parse(await textOf(new UserExport(memory, "alice")));
      expect(messages).toEqual(memory.getMessages("alice"));
    }),
    { numRuns: 50 },
  );
});
