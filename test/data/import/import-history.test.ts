import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Agent,
  assistantMessage,
  DemoModel,
  InMemory,
  importHistory,
  type Memory,
  SqliteMemory,
  systemMessage,
  toolMessage,
  UserExport,
  userMessage,
} from "../../../src/index.js";
import { attachmentsOf } from "../../../src/messages.js";
import { chatGptConversation, claudeConversation } from "../../support/archives.js";
import { temporaryFile } from "../../support/memory-file.js";
import { wildText } from "../../support/wild-text.js";

type Format = "json" | "jsonl";

async function exported(memory: Memory, format: Format, user = "alice"): Promise<string> {
  let text = "";
  for await (const piece of new UserExport(memory, user, { format })) text += piece;
  return text;
}

/** In pieces of this length, as a file may come. */
function* inPieces(text: string, length: number): Generator<string> {
  for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length);
}

const withoutIds = (text: string, format: Format): unknown => {
  const plain = ({ id: _, ...message }: { id: number }) => message;
  if (format === "jsonl")
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => plain(JSON.parse(line)));
  const { messages, state } = JSON.parse(text);
  return { messages: messages.map(plain), state };
};

const history = fc.array(
  fc.record({
    sessionId: fc.constantFrom("default", "work", "日本 🗾"),
    question: wildText(30),
    answer: wildText(30),
    kind: fc.constantFrom("plain", "tools", "interrupted", "rule"),
    state: fc.option(fc.dictionary(wildText(8), fc.jsonValue())),
  }),
  { maxLength: 8 },
);

async function fill(
  memory: Memory,
  said: typeof history extends fc.Arbitrary<infer T> ? T : never,
) {
  for (const { sessionId, question, answer, kind, state } of said) {
    const usage = { inputTokens: 3, outputTokens: 4, estimated: true };
    const calls = [{ id: "1", name: "look", arguments: question }];
    const messages = {
      plain: [userMessage(question), { ...assistantMessage(answer), model: "m", usage }],
      tools: [
        userMessage(question),
        assistantMessage("", calls),
        toolMessage("1", answer, true),
        assistantMessage(answer),
      ],
      interrupted: [userMessage(question), { ...assistantMessage(answer), interrupted: true }],
      rule: [systemMessage(question)],
    }[kind];
    await memory.add(messages, "alice", { sessionId, state: (state ?? {}) as never });
  }
}

const open = (kind: string): Memory =>
  kind === "SQLite" ? new SqliteMemory(temporaryFile()) : new InMemory();

describe.each(["memory", "SQLite"])("an import into %s", (kind) => {
  it.each(["json", "jsonl"] as const)(
    "gives back what was exported as %s, but for the ids",
    async (format) => {
      await fc.assert(
        fc.asyncProperty(history, fc.integer({ min: 1, max: 50 }), async (said, length) => {
          const [source, target] = [open("memory"), open(kind)];
          await fill(source, said);
          const text = await exported(source, format);
          if (text === "") return;
          const first = await importHistory(target, "bob", inPieces(text, length), {
            format: "agno-chat",
          });
          expect(first.leftOut).toEqual({});
          expect(withoutIds(await exported(target, format, "bob"), format)).toEqual(
            withoutIds(text, format),
          );
          const again = await importHistory(target, "bob", [text], { format: "agno-chat" });
          expect(again).toMatchObject({ messages: 0, leftOut: {} });
          expect(withoutIds(await exported(target, format, "bob"), format)).toEqual(
            withoutIds(text, format),
          );
          await target.close();
        }),
        { numRuns: kind === "SQLite" ? 10 : 30 },
      );
    },
  );

  it("changes nothing the second time, even of a session that holds state alone", async () => {
    const [source, target] = [open("memory"), open(kind)];
    await source.add([], "alice", { state: { topic: "tea", more: { b: 1, a: [null] } } });
    await source.add([], "alice", { sessionId: "work", state: { ["__proto__"]: "plain" } });
    await target.add([], "alice", { state: { mine: true } });
    const text = await exported(source, "json");
    expect(await importHistory(target, "alice", [text])).toMatchObject({ imported: 2 });
    const once = await exported(target, "json");
    expect(Object.keys(JSON.parse(once).state)).toEqual(["default", "default-2", "work"]);
    const again = await importHistory(target, "alice", [text]);
    expect(again).toMatchObject({ imported: 0, extended: 0, present: 2, messages: 0 });
    expect(await exported(target, "json")).toBe(once);
    await target.close();
  });
});

const textsOf = async (memory: Memory, sessionId?: string, user = "alice"): Promise<string[]> =>
  (await memory.getMessages(user, { sessionId })).map(({ content }) => content);

const said = (role: string, text: string, more: object = {}) => ({ role, text, more });

describe("an export of ChatGPT", () => {
  it("becomes a session for each conversation, of the path that is shown", async () => {
    const memory = new InMemory();
    const trip = chatGptConversation(
      "8f3a2b1c-0000-4000-8000-000000000001",
      "Trip to Oslo 🗺️",
      [
        said("system", "", { weight: 0 }),
        said("user", "Where is Oslo?"),
        said("assistant", "In Norway."),
        said("user", "And Bergen?"),
        said("assistant", "Also in Norway."),
      ],
      [said("user", "Where is Olso?"), said("assistant", "There is no such city.")],
    );
    const other = chatGptConversation("id-2", null, [
      said("user", "Hi"),
      said("assistant", "Hello"),
    ]);
    const file = JSON.stringify([trip, other]);
    const done = await importHistory(memory, "alice", inPieces(file, 7));
    expect(done).toEqual({
      ...{ format: "chatgpt", imported: 2, extended: 0, present: 0, messages: 6 },
      leftOut: { "hidden message": 1, "message on a branch that is not shown": 2 },
    });
    const names = memory.sessions("alice").map(({ sessionId }) => sessionId);
    expect(names.sort()).toEqual([
      expect.stringMatching(/^conversation-[0-9a-f]{8}$/),
      expect.stringMatching(/^trip-to-oslo-[0-9a-f]{8}$/),
    ]);
    expect(await textsOf(memory, names[1])).toEqual([
      ...["Where is Oslo?", "In Norway.", "And Bergen?", "Also in Norway."],
    ]);
    const [question, answer] = memory.getMessages("alice", { sessionId: names[1] });
    expect(answer).toMatchObject({ model: "gpt-4o", runId: question?.runId });
    expect(question?.createdAt).toMatch(/^2025-01-07T/);
  });

  it("names attachments and leaves out tools and thoughts, and counts them", async () => {
    const memory = new InMemory();
    const picture = {
      content_type: "multimodal_text",
      parts: [
        { content_type: "image_asset_pointer", asset_pointer: "file-service://file-1" },
        "What is this?",
      ],
    };
    const metadata = { attachments: [{ name: "plan.pdf", mime_type: "application/pdf" }] };
    const conversation = chatGptConversation("id", "Picture", [
      { role: "user", content: picture, more: { metadata } },
      { role: "assistant", content: { content_type: "thoughts", thoughts: [] } },
      {
        role: "assistant",
        content: { content_type: "code", text: "search()" },
        more: { recipient: "browser" },
      },
      { role: "tool", text: "found" },
      said("assistant", "A cat."),
      said("assistant", "And a dog."),
    ]);
    const { leftOut } = await importHistory(memory, "alice", [JSON.stringify([conversation])]);
    expect(await textsOf(memory)).toEqual([
      "[image: file-service://file-1]\n\nWhat is this?\n\n[file: plan.pdf]",
      "A cat.\n\nAnd a dog.",
    ]);
    expect(leftOut).toEqual({
      "attached file, named in the text": 2,
      ...{ thought: 1, "tool call": 1, "tool result": 1 },
    });
  });

  it("adds only what is new when a conversation went on, even under another title", async () => {
    const memory = new InMemory();
    const first = [said("user", "One"), said("assistant", "1")];
    const more = [...first, said("user", "Two"), said("assistant", "2")];
    const at = (title: string, all: typeof first) => [
      JSON.stringify([chatGptConversation("id", title, all)]),
    ];
    await importHistory(memory, "alice", at("Numbers", first));
    const again = await importHistory(memory, "alice", at("More numbers", more));
    expect(again).toMatchObject({ imported: 0, extended: 1, present: 0, messages: 2 });
    expect(await textsOf(memory)).toEqual(["One", "1", "Two", "2"]);
    expect(memory.sessions("alice")).toHaveLength(1);
    const third = await importHistory(memory, "alice", at("Numbers", more));
    expect(third).toMatchObject({ imported: 0, extended: 0, present: 1, messages: 0 });
  });

  it("leaves a conversation alone that went on here, or of which runs were taken back", async () => {
    const memory = new InMemory();
    const first = [said("user", "One"), said("assistant", "1")];
    const more = [...first, said("user", "Two"), said("assistant", "2")];
    const at = (all: typeof first) => [JSON.stringify([chatGptConversation("id", "N", all)])];
    await importHistory(memory, "alice", at(first));
    const [{ sessionId } = { sessionId: "" }] = memory.sessions("alice");
    memory.add([userMessage("Mine"), assistantMessage("Yes")], "alice", { sessionId });
    const again = await importHistory(memory, "alice", at(more));
    expect(again.leftOut).toEqual({ "run that was changed or deleted here": 1 });
    expect(await textsOf(memory)).toEqual(["One", "1", "Mine", "Yes"]);
  });

  it("ends at a tree that leads back to itself, and takes the last leaf if none is current", async () => {
    const memory = new InMemory();
    const node = (parent: string | null, text: string, children: string[] = []) => ({
      ...{ parent, children },
      message: { author: { role: "user" }, content: { content_type: "text", parts: [text] } },
    });
    const loop = {
      title: "loop",
      current_node: "a",
      mapping: { a: node("b", "A"), b: node("a", "B") },
    };
    const leaf = { title: "leaf", mapping: { a: node(null, "C", ["b"]), b: node("a", "D") } };
    await importHistory(memory, "alice", [JSON.stringify([loop, leaf])]);
    expect((await textsOf(memory)).sort()).toEqual(["A", "B", "C", "D"]);
  });
});

describe("an export of Claude", () => {
  it("becomes a session for each conversation, with the text of attachments", async () => {
    const memory = new InMemory();
    const attachments = [
      { file_name: "notes.txt", extracted_content: "Buy tea." },
      { file_name: "x.bin" },
    ];
    const content = [
      { type: "thinking", thinking: "Hm." },
      { type: "text", text: "Tea." },
      { type: "tool_use", name: "search" },
      { type: "text", text: "Green." },
    ];
    const conversation = claudeConversation("c-1", "Shopping", [
      {
        sender: "human",
        text: "What to buy?",
        more: { attachments, files: [{ file_name: "a.png" }] },
      },
      { sender: "assistant", more: { content } },
    ]);
    const done = await importHistory(memory, "alice", [JSON.stringify([conversation])]);
    expect(done).toMatchObject({ format: "claude", imported: 1, messages: 2 });
    expect(done.leftOut).toEqual({
      "attached file, named in the text": 2,
      ...{ thought: 1, "tool call": 1 },
    });
    expect(await textsOf(memory)).toEqual([
      "What to buy?\n\n[file: notes.txt]\nBuy tea.\n\n[file: x.bin]\n\n[file: a.png]",
      "Tea.\n\nGreen.",
    ]);
  });

  it("follows the branch that is shown, if the export names it", async () => {
    const memory = new InMemory();
    const conversation = {
      ...claudeConversation("c", "Branches", [
        { sender: "human", text: "One", more: { parent_message_uuid: "none" } },
        { sender: "assistant", text: "old", more: { parent_message_uuid: "c-0" } },
        { sender: "assistant", text: "new", more: { parent_message_uuid: "c-0" } },
      ]),
      current_leaf_message_uuid: "c-2",
    };
    const { leftOut } = await importHistory(memory, "alice", [JSON.stringify([conversation])]);
    expect(await textsOf(memory)).toEqual(["One", "new"]);
    expect(leftOut).toEqual({ "message on a branch that is not shown": 1 });
  });
});

/** Conversations of one id, by format. */
const FORMATS: readonly (readonly [
  name: string,
  fileOf: (conversations: readonly (readonly ReturnType<typeof said>[])[]) => string,
])[] = [
  ["ChatGPT", (all) => JSON.stringify(all.map((each) => chatGptConversation("id", "N", each)))],
  [
    "Claude",
    (all) =>
      JSON.stringify(
        all.map((each) => {
          const spoken = each.map(({ role, text }) => ({
            ...{ sender: role === "user" ? "human" : role, text },
          }));
          return claudeConversation("id", "N", spoken);
        }),
      ),
  ],
  [
    "OpenAI",
    (all) =>
      all
        .map((each) => each.map(({ role, text: content }) => ({ role, content })))
        .map((messages) => JSON.stringify({ messages }))
        .join("\n"),
  ],
];

it.each(FORMATS)(
  "a conversation that a file of %s holds twice is stored once",
  async (_, fileOf) => {
    const memory = new InMemory();
    const first = [said("user", "One"), said("assistant", "1")];
    const more = [...first, said("user", "Two"), said("assistant", "2")];
    const outcome = await importHistory(memory, "alice", [fileOf([first, more, first])]);
    expect(outcome).toMatchObject({ imported: 1, extended: 0, present: 0, messages: 4 });
    expect(await textsOf(memory)).toEqual(["One", "1", "Two", "2"]);
  },
);

it("reads hundreds of thousands of messages of one conversation in a time like their number", async () => {
  const messages = Array.from({ length: 400_000 }, (_, index) => ({
    ...{ uuid: `${index}`, parent_message_uuid: `${index - 1}` },
    ...{ sender: index % 2 === 0 ? "human" : "assistant", text: "" },
  }));
  const conversation = { uuid: "c", chat_messages: messages, current_leaf_message_uuid: "399999" };
  const { leftOut } = await importHistory(new InMemory(), "alice", [
    JSON.stringify([conversation]),
  ]);
  expect(leftOut).toEqual({ "conversation without messages": 1 });
});

describe("messages in the format of OpenAI", () => {
  const messages = [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "Weather?" },
        { type: "image_url", image_url: {} },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "1", type: "function", function: { name: "look", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "1", content: "Sun" },
    { role: "assistant", content: "Sunny." },
  ];

  it.each([
    ["a list", JSON.stringify(messages)],
    ["a document", JSON.stringify({ model: "m", messages })],
    ["lines", messages.map((message) => `${JSON.stringify(message)}\n`).join("")],
  ])("become one session as %s", async (_, text) => {
    const memory = new InMemory();
    const done = await importHistory(memory, "alice", inPieces(text, 5), {});
    expect(done).toMatchObject({ format: "openai", imported: 1, messages: 5 });
    expect(memory.getMessages("alice")).toMatchObject([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather?" },
      { role: "assistant", toolCalls: [{ id: "1", name: "look", arguments: "{}" }] },
      { role: "tool", toolCallId: "1", content: "Sun" },
      { role: "assistant", content: "Sunny." },
    ]);
    const again = await importHistory(memory, "alice", [text]);
    expect(again).toMatchObject({ imported: 0, present: 1, messages: 0 });
  });

  it("become a conversation for each line that holds several", async () => {
    const memory = new InMemory();
    const line = (text: string) =>
      `${JSON.stringify({ messages: [{ role: "user", content: text }] })}\n`;
    const done = await importHistory(memory, "alice", [line("One"), line("Two")]);
    expect(done).toMatchObject({ imported: 2, messages: 2 });
  });

  it("go into the session that is named", async () => {
    const memory = new InMemory();
    await importHistory(memory, "alice", ['[{"role":"user","content":"Hi"}]'], {
      sessionId: "old",
    });
    expect(memory.sessions("alice")).toMatchObject([{ sessionId: "old" }]);
  });
});

describe("whatever a file says", () => {
  const own = (fields: object, session = "default") =>
    JSON.stringify({
      ...{ role: "user", content: "hi", runId: "r", sessionId: session },
      createdAt: "2026-01-01T00:00:00Z",
      ...fields,
    });

  it("goes to the user who imports it, and nobody else's data changes", async () => {
    const memory = new InMemory();
    memory.add(userMessage("of bob"), "bob");
    const file = `{"user":"bob","session":null,"messages":[${own({ userId: "bob", user: "bob" })}],"state":{}}`;
    const done = await importHistory(memory, "alice", [file]);
    expect(done.otherUser).toBe("bob");
    expect(await textsOf(memory)).toEqual(["hi"]);
    expect(await textsOf(memory, undefined, "bob")).toEqual(["of bob"]);
    expect(memory.users()).toHaveLength(2);
  });

  it("never mixes with a session that is there already", async () => {
    const memory = new InMemory();
    memory.add(userMessage("mine"), "alice");
    await importHistory(memory, "alice", [own({})]);
    expect(await textsOf(memory, "default")).toEqual(["mine"]);
    expect(await textsOf(memory, "default-2")).toEqual(["hi"]);
    expect(await importHistory(memory, "alice", [own({})])).toMatchObject({
      present: 1,
      messages: 0,
    });
  });

  it("leaves out messages that are not valid, with the rest of their run", async () => {
    const memory = new InMemory();
    const lines = [
      own({ runId: "bad" }),
      own({ runId: "bad", role: "robot" }),
      own({ runId: "bad", content: "still bad" }),
      own({ runId: "good" }),
      own({ runId: "other", createdAt: "yesterday" }),
      own({ runId: "third" }, "a\u0000b"),
    ];
    const done = await importHistory(memory, "alice", [lines.join("\n")]);
    expect(done).toMatchObject({ messages: 1, leftOut: { "message that is not valid": 5 } });
  });

  it("takes keys like __proto__ and keys that come twice as JSON does", async () => {
    const memory = new InMemory();
    const file =
      '{"__proto__":{"role":"user"},"role":"x","role":"user","content":"a","content":"hi"}';
    await importHistory(memory, "alice", [file], { format: "openai" });
    expect(await textsOf(memory)).toEqual(["hi"]);
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it.each([
    ["nothing", ""],
    ["a text", "hello"],
    ["a number", "42"],
    ["half a list", '[{"role":"user","content":"hi"}'],
    ["half a string", '[{"role":"user","content":"hi'],
    ["a list with holes", '[{"role":"user","content":"hi"},,]'],
    ["a list of other things", '[1,"two",{"three":3}]'],
    ["an object of other things", '{"a":1}'],
    ["text after a list", '[{"role":"user","content":"hi"}] more'],
    ["deep nesting", "[".repeat(100_000)],
  ])("%s is refused in one line, and stores no part of a conversation", async (_, text) => {
    const memory = new InMemory();
    await expect(importHistory(memory, "alice", [text])).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.not.stringContaining("\n"),
    });
    expect(memory.size("alice")).toBe(0);
  });

  it("never crashes, and ends alike however it is cut into pieces", async () => {
    const anything = fc.oneof(fc.json(), wildText(40), fc.string());
    await fc.assert(
      fc.asyncProperty(anything, fc.integer({ min: 1, max: 5 }), async (text, length) => {
        const outcomes = await Promise.all(
          [[text], [...inPieces(text, length)]].map((pieces) =>
            importHistory(new InMemory(), "alice", pieces).catch(({ code, message }) => [
              code,
              message,
            ]),
          ),
        );
        expect(outcomes[0]).toEqual(outcomes[1]);
        if (Array.isArray(outcomes[0])) expect(outcomes[0][0]).toBe("INVALID_INPUT");
      }),
      { numRuns: 300 },
    );
  });

  it("a file that is cut off leaves no part of its conversations behind", async () => {
    const source = new InMemory();
    for (let index = 0; index < 300; index += 1)
      source.add([userMessage(`${index}`), assistantMessage("ok")], "alice");
    const memory = new InMemory();
    const text = await exported(source, "json");
    await expect(importHistory(memory, "alice", [text.slice(0, -200)])).rejects.toThrow("cut off");
    expect(memory.size("alice")).toBe(0);
    await importHistory(memory, "alice", [text]);
    expect(memory.size("alice")).toBe(600);
  });
});

it("files come back with the messages that name them, and not if they were changed", async () => {
  const agent = new Agent({ model: new DemoModel(), memory: new InMemory() });
  const files = [{ name: "plan.txt", content: "Buy tea." }];
  await agent.run("Look", { userId: "alice", attachments: files });
  let text = "";
  for await (const piece of agent.forUser("alice").export()) text += piece;
  const memory = new InMemory();
  expect(await importHistory(memory, "bob", [text])).toMatchObject({ messages: 2, leftOut: {} });
  const [message] = memory.getMessages("bob");
  const [{ hash } = { hash: "" }] = message === undefined ? [] : attachmentsOf(message);
  const found = await memory.attachments?.read("bob", [hash]);
  expect(Buffer.from(found?.get(hash) ?? []).toString()).toBe("Buy tea.");
  const forged = text.replace(Buffer.from("Buy tea.").toString("base64"), "Zm9yZ2VkIQ==");
  const refused = await importHistory(new InMemory(), "bob", [forged]);
  expect(refused).toMatchObject({ messages: 0, leftOut: { "message that is not valid": 2 } });
});

it("passes over a message of 1 GB without keeping it in memory, and takes what follows", async () => {
  const memory = new InMemory();
  // Of this thread alone: others run tests meanwhile.
  const kept = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
  const before = kept();
  let most = 0;
  function* file() {
    yield '[{"role": "user", "content": "Before"}, {"role": "user", "content": "';
    for (let piece = 0; piece < 1024; piece++) {
      yield "x".repeat(1_048_576);
      most = Math.max(most, kept() - before);
    }
    yield '"}, {"role": "user", "content": "After"}]';
  }
  const { leftOut } = await importHistory(memory, "alice", file(), { format: "openai" });
  expect(leftOut).toEqual({ "message that is not valid": 1 });
  expect(memory.getMessages("alice").map(({ content }) => content)).toEqual(["Before", "After"]);
  expect(most).toBeLessThan(300_000_000);
});

it("a dry run counts and stores nothing", async () => {
  const memory = new InMemory();
  const file = JSON.stringify([chatGptConversation("id", "T", [said("user", "Hi")])]);
  const done = await importHistory(memory, "alice", [file], { dryRun: true });
  expect(done).toMatchObject({ imported: 1, messages: 1 });
  expect(memory.users()).toEqual([]);
});

it("keeps to what a user may keep", async () => {
  const memory = new InMemory();
  const file = JSON.stringify([chatGptConversation("id", "T", [said("user", "x".repeat(2_000))])]);
  const limits = { bytesKept: 1_000 };
  await expect(importHistory(memory, "alice", [file], { limits })).rejects.toMatchObject({
    code: "BUDGET",
  });
  expect(memory.size("alice")).toBe(0);
});

it("stops when it is told to, and goes on where it stopped", async () => {
  const memory = new InMemory();
  const all = Array.from({ length: 9 }, (_, index) =>
    chatGptConversation(`id-${index}`, `Number ${index}`, [
      said("user", "Hi"),
      said("assistant", "Yes"),
    ]),
  );
  const controller = new AbortController();
  const stopped = importHistory(memory, "alice", [JSON.stringify(all)], {
    signal: controller.signal,
    onProgress: ({ imported }) => imported === 4 && controller.abort(new Error("stop")),
  });
  await expect(stopped).rejects.toThrow("stop");
  expect(memory.sessions("alice")).toHaveLength(4);
  const rest = await importHistory(memory, "alice", [JSON.stringify(all)]);
  expect(rest).toMatchObject({ imported: 5, present: 4, messages: 10 });
});
