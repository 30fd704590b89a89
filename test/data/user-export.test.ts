import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExportFormat, UserExport } from "../../src/data/user-export.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { assistantMessage, type NewMessage, userMessage } from "../../src/messages.js";
import { MEMORIES } from "../agent/support.js";

const exchangeOf = (index: number): NewMessage[] => [
  userMessage(`question ${index}`),
  assistantMessage(`answer ${index}`),
];

async function fill(memory: Memory, userId: string, runs: number): Promise<void> {
  for (let index = 0; index < runs; index += 1)
    await memory.add(exchangeOf(index), userId, { sessionId: index % 3 === 0 ? "work" : "home" });
}

/** What it comes to, with something done when its first piece is there. */
async function textOf(pieces: AsyncIterable<string>, meanwhile = async () => {}): Promise<string> {
  let text = "";
  for await (const piece of pieces) {
    if (text === "") await meanwhile();
    text += piece;
  }
  return text;
}

const contentsOf = (messages: readonly { content: string }[]) =>
  messages.map(({ content }) => content);

describe.each(MEMORIES)("of $name", ({ open }) => {
  test("json is one document with every message, oldest first, and every state", async () => {
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

  test("jsonl and md are the same text whatever the pieces", async () => {
    const memory = open();
    await fill(memory, "alice", 100);
    const messages = await memory.getMessages("alice");
    const lines = await textOf(new UserExport(memory, "alice", { format: "jsonl" }));
    expect(lines).toBe(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
    const markdown = await textOf(new UserExport(memory, "alice", { format: "md" }));
    expect(markdown.match(/^(question|answer) \d+$/gm)).toEqual(contentsOf(messages));
  });

  test("a user never seen is an empty document", async () => {
    const memory = open();
    const of = (format: ExportFormat) => textOf(new UserExport(memory, "nobody", { format }));
    expect(JSON.parse(await of("json"))).toMatchObject({ messages: [], state: {} });
    expect([await of("jsonl"), await of("md")]).toEqual(["", "# nobody\n"]);
  });

  test("what is added meanwhile is left out, so no run is there in part or twice", async () => {
    const memory = open();
    await fill(memory, "alice", 100);
    const before = await memory.getMessages("alice");
    const text = await textOf(new UserExport(memory, "alice"), () => fill(memory, "alice", 100));
    expect(JSON.parse(text).messages).toEqual(before);
  });

  test.each([
    ["all of the user", {}],
    ["one of the sessions", { sessionId: "work" }],
  ])("it fails when %s is cleared meanwhile, and again when that user is back", async (_, what) => {
    const memory = open();
    await fill(memory, "alice", 100);
    const clear = async () => void (await memory.clear("alice", what));
    await expect(textOf(new UserExport(memory, "alice"), clear)).rejects.toMatchObject({
      code: "HISTORY_CLEARED",
    });
    const again = async () => {
      await clear();
      await fill(memory, "alice", 10);
    };
    await fill(memory, "alice", 100);
    await expect(textOf(new UserExport(memory, "alice"), again)).rejects.toMatchObject({
      code: "HISTORY_CLEARED",
    });
  });

  test("a signal ends it", async () => {
    const memory = open();
    await fill(memory, "alice", 100);
    const controller = new AbortController();
    const text = new UserExport(memory, "alice", { signal: controller.signal });
    const reason = new Error("enough");
    await expect(textOf(text, async () => controller.abort(reason))).rejects.toBe(reason);
  });
});

test("everybody else has a turn between two pieces, and no piece is long", async () => {
  const memory = new InMemory();
  for (let index = 0; index < 50; index += 1) {
    await fill(memory, "alice", 20);
    await memory.add(userMessage("x".repeat(100_000)), "alice");
  }
  let turns = 0;
  let over = false;
  const neighbour = (async () => {
    for (; !over; turns += 1) await nextTurn();
  })();
  let pieces = 0;
  for await (const piece of new UserExport(memory, "alice")) {
    pieces += 1;
    expect(piece.length).toBeLessThan(500_000);
  }
  over = true;
  await neighbour;
  expect(pieces).toBeGreaterThan(10);
  expect(turns).toBeGreaterThanOrEqual(pieces - 2);
});

test.each(MEMORIES)(
  "long messages behind short ones are not read together: $name",
  async ({ open }) => {
    const memory = open();
    await fill(memory, "alice", 200);
    for (let index = 0; index < 20; index += 1)
      await memory.add(userMessage("x".repeat(300_000)), "alice");
    for await (const piece of new UserExport(memory, "alice"))
      expect(piece.length).toBeLessThan(600_000);
  },
);

test("whatever the lengths and sessions, every message comes once and in order", async () => {
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
