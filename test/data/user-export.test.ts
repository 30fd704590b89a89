import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExportFormat } from "../../src/data/export-options.js";
import { UserExport } from "../../src/data/user-export.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import {
  assistantMessage,
  type NewMessage,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../src/messages.js";
import { MEMORIES } from "../agent/support.js";
import { wildText } from "../support/wild-text.js";

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

  test("has the states of all sessions by id, and never lists all sessions at once", async () => {
    const memory = open();
    for (const sessionId of ["work", "home", "\u{1f600}", "\ufb01", "Z"])
      await memory.add([], "alice", { sessionId, state: { of: sessionId } });
    await memory.add(userMessage("no state"), "alice", { sessionId: "alone" });
    await memory.add([], "bob", { sessionId: "work", state: { of: "bob" } });
    const refuse = () => expect.unreachable("lists all sessions at once");
    const paged = Object.defineProperty(memory, "sessions", { value: refuse });
    const { state } = JSON.parse(await textOf(new UserExport(paged, "alice")));
    expect(Object.entries(state)).toEqual(
      ["Z", "home", "work", "\ufb01", "\u{1f600}"].map((name) => [name, { of: name }]),
    );
    const one = new UserExport(paged, "alice", { sessionId: "home" });
    expect(JSON.parse(await textOf(one)).state).toEqual({ home: { of: "home" } });
    for (const format of ["jsonl", "md", "html"] as const)
      expect(await textOf(new UserExport(paged, "alice", { format }))).toContain("no state");
    await expect(textOf(new UserExport(paged, "alice", { format: "openai" }))).rejects.toThrow(
      "Messages to send on are of one session, and there are 6.",
    );
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
    expect([await of("jsonl"), JSON.parse(await of("openai"))]).toEqual(["", []]);
    expect(await of("md")).toMatch(/^# nobody\n\nExported [^\n]+\n$/);
    expect(await of("html")).toMatch(/<h1>nobody<\/h1>\n<p[^\n]+<\/p>\n<\/body>\n<\/html>\n$/);
  });

  test("of the last messages is whole runs of each session, and never less than the latest", async () => {
    const memory = open();
    await memory.add([systemMessage("Be brief."), ...runOf(0)], "alice", { sessionId: "a" });
    await memory.add(runOf(1), "alice", { sessionId: "b" });
    await memory.add(assistantMessage("and more"), "alice", { sessionId: "a" });
    await memory.add([...runOf(2), assistantMessage("at last")], "alice", { sessionId: "b" });
    const last = async (count: number) => {
      const text = new UserExport(memory, "alice", { last: count });
      return contentsOf(JSON.parse(await textOf(text)).messages);
    };
    const latest = ["question 2", "answer 2", "at last"];
    expect([await last(1), await last(3), await last(5)]).toEqual([latest, latest, latest]);
    // The end of a run of session a is not exported without its beginning.
    expect(await last(6)).toEqual(["question 1", "answer 1", ...latest]);
    expect(await last(8)).toEqual([
      ...["question 0", "answer 0", "question 1", "answer 1", "and more", ...latest],
    ]);
  });

  test("since a time has the runs that began then or later, in whatever order they are stored", async () => {
    const memory = open();
    const at = (time: number) => ({ createdAt: new Date(time).toISOString() });
    for (const [time, name] of [
      [2000, "new"],
      [1000, "imported later"],
      [3000, "newer"],
    ] as const)
      await memory.add(
        [
          { ...userMessage(name), ...at(time) },
          { ...assistantMessage(`${name} answer`), ...at(time + 5000) },
        ],
        "alice",
      );
    const text = new UserExport(memory, "alice", { since: 2000 });
    expect(contentsOf(JSON.parse(await textOf(text)).messages)).toEqual([
      ...["new", "new answer", "newer", "newer answer"],
    ]);
    expect(text.messages).toBe(4);
  });

  test("since a time has runs as they began, however long they are and whatever came between", async () => {
    const memory = open();
    const told = async (sessionId: string, time: number, message: NewMessage) =>
      memory.add({ ...message, createdAt: new Date(time).toISOString() }, "alice", { sessionId });
    await told("old", 1000, userMessage("old"));
    await told("new", 2000, userMessage("new"));
    for (let index = 0; index < 300; index += 1) {
      await told("old", 3000, assistantMessage(`more of old ${index}`));
      await told("new", 3000, assistantMessage(`more of new ${index}`));
    }
    const since = contentsOf(
      JSON.parse(await textOf(new UserExport(memory, "alice", { since: 2000 }))).messages,
    );
    const ofNew = Array.from({ length: 300 }, (_, index) => `more of new ${index}`);
    expect(since).toEqual(["new", ...ofNew]);
  });

  test("as openai can be sent on: calls and results in pairs, users never in a row", async () => {
    const memory = open();
    const call = (id: string) => ({ id, name: "now", arguments: '{"zone":"UTC"}' });
    await memory.add(
      [
        userMessage("What time is it?"),
        assistantMessage("", [call("a"), call("never")]),
        toolMessage("a", "12:00"),
        toolMessage("stray", "13:00"),
        assistantMessage("Noon."),
        userMessage("Thanks"),
        assistantMessage(""),
        userMessage("Bye"),
      ],
      "alice",
    );
    const text = new UserExport(memory, "alice", { format: "openai" });
    const messages = JSON.parse(await textOf(text));
    const [id] = messages[1].tool_calls.map((each: { id: string }) => each.id);
    expect(messages).toEqual([
      { role: "user", content: "What time is it?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id, type: "function", function: { name: "now", arguments: '{"zone":"UTC"}' } },
        ],
      },
      { role: "tool", tool_call_id: id, content: "12:00" },
      { role: "assistant", content: "Noon." },
      { role: "user", content: "Thanks\n\nBye" },
    ]);
    await memory.add(runOf(1), "alice", { sessionId: "other" });
    await expect(textOf(text)).rejects.toMatchObject({ code: "USAGE" });
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
    for (const options of [{}, { last: 500 }]) {
      await clear();
      await fill(memory, "alice", 300);
      const text = new UserExport(memory, "alice", options);
      await expect(textOf(text, clearAndFill)).rejects.toMatchObject({ code: "HISTORY_CLEARED" });
    }
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

test("an export as json has everything that is kept, exactly, whatever the texts are", async () => {
  const texts = fc.array(wildText(30), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(texts, async (said) => {
      const memory = new InMemory();
      for (const [index, text] of said.entries()) {
        const call = { id: `call ${text}`, name: `tool ${text}`, arguments: text };
        const run = [
          userMessage(text),
          assistantMessage(text, [call]),
          toolMessage(call.id, text, index % 2 === 0),
          {
            ...{ ...assistantMessage(text), interrupted: true, model: "m", historySent: index },
            usage: { inputTokens: index, outputTokens: 1, estimated: true },
          },
        ];
        const sessionId = index % 3 === 0 ? "__proto__" : "default";
        memory.add(run, "alice", { sessionId, state: { [text]: { [text]: [text] } } });
      }
      const { messages, state } = JSON.parse(await textOf(new UserExport(memory, "alice")));
      expect(messages).toEqual(memory.getMessages("alice"));
      const states = memory
        .sessions("alice")
        .map(({ sessionId }) => [sessionId, memory.getState("alice", { sessionId })] as const);
      expect(new Map(Object.entries(state))).toEqual(
        new Map(states.map(([session, kept]) => [session, JSON.parse(JSON.stringify(kept))])),
      );
    }),
    { numRuns: 50 },
  );
});

test("an export from a memory that only lists all sessions has their states by id, too", async () => {
  const memory = new InMemory();
  for (const sessionId of ["work", "\u{1f600}", "\ufb01", "Z"])
    memory.add([], "alice", { sessionId, state: { of: sessionId } });
  Object.defineProperty(memory, "sessionsById", { value: undefined });
  const { state } = JSON.parse(await textOf(new UserExport(memory, "alice")));
  expect(Object.keys(state)).toEqual(["Z", "work", "\ufb01", "\u{1f600}"]);
});

test.each([{}, { last: 200 }])(
  "an export from a memory that returns the same messages again and again ends: %j",
  async (options) => {
    const memory = new InMemory();
    await fill(memory, "alice", 100);
    const newest = memory.getMessages("alice", { limit: 128 });
    memory.getMessages = () => newest;
    const exported = textOf(new UserExport(memory, "alice", options));
    await expect(exported).rejects.toMatchObject({ code: "STORE_FAILED" });
  },
);
