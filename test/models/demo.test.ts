import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Attachment,
  assistantMessage,
  type Message,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../src/messages.js";
import { DemoModel } from "../../src/models/demo.js";
import type { ModelEvent, ModelRequest, ToolSpec } from "../../src/models/model.js";
import { callTool, toolTable } from "../../src/tools/call-tool.js";
import { openToolkits } from "../../src/tools/open-toolkits.js";
import { cpuTime } from "../support/cpu-time.js";
import { toolContext } from "../support/tool-context.js";
import { wildText } from "../support/wild-text.js";

const model = new DemoModel();
const { signal } = new AbortController();

async function ask(request: ModelRequest): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of model.stream(request, { signal })) events.push(event);
  return events;
}

const textOf = (events: readonly ModelEvent[]): string =>
  events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");

/** The last reply of a conversation in which the user says these lines. */
async function lastReply(...lines: string[]): Promise<string> {
  const messages: Message[] = [];
  let reply = "";
  for (const line of lines) {
    messages.push(userMessage(line));
    reply = textOf(await ask({ messages }));
    messages.push(assistantMessage(reply));
  }
  return reply;
}

describe("names", () => {
  it.each([
    ["My name is Alice", "Alice"],
    ["my name is alice.", "alice"],
    ["Hi, I'm Bob!", "Bob"],
    ["I am Zoë", "Zoë"],
    ["Please call me Al", "Al"],
    ["I am called Jean-Luc", "Jean-Luc"],
    ["My name's O’Brien", "O’Brien"],
    ["My name is Ada Lovelace, and you?", "Ada Lovelace"],
    ["Hello. My name is Dr. Strange and I live in New York", "Dr. Strange"],
    ["My name is user-17", "user-17"],
    ['My name is "Nuñez"', "Nuñez"],
    ["My name is 李小龍", "李小龍"],
    ["私の名前はアリスです", "アリス"],
    ["Remember that my name is Al, what's my name?", "Al"],
  ])("learns a name from %j", async (statement, name) => {
    expect(await lastReply(statement, "What's my name?")).toContain(`Your name is ${name}.`);
  });

  it.each([
    "What's my name?",
    "What is my name",
    "whats my name??",
    "who am I",
    "Do you remember my name?",
    "Tell me my name.",
    "my name is what?",
    "私の名前は何ですか",
    "I forgot: what’s my name?",
  ])("says it when asked %j", async (question) => {
    expect(await lastReply("My name is Alice", question)).toContain("Your name is Alice");
    expect(await lastReply(question)).toMatch(/I don't know your name/);
  });

  it.each([
    "I'm tired",
    "I'M TIRED",
    "I am so Happy today",
    "my name is what?",
    "Is my name Carol?",
    "My name is not Carol",
    "call me later",
    "Carol is a nice name",
    "Your name is Carol",
  ])("does not take %j for a name", async (line) => {
    expect(await lastReply(line, "What's my name?")).toMatch(/I don't know your name/);
    expect(await lastReply("My name is Alice", line, "Who am I?")).toContain("Your name is Alice.");
  });

  it("believes the latest statement", async () => {
    expect(await lastReply("My name is Alice", "I'm Bob", "What's my name?")).toContain(
      "Your name is Bob.",
    );
  });

  it("greets by name", async () => {
    expect(await lastReply("My name is Alice")).toContain("Alice");
  });
});

describe("facts", () => {
  it.each([
    ["my favourite colour is blue", "What is my favorite color?", "Your favourite colour is blue."],
    ["I live in Paris, but I work in Lille", "Where do I live?", "You live in Paris."],
    ["I live in Paris, but I work in Lille", "where do I work", "You work in Lille."],
    ["I like tea and my cat", "What do I like?", "You like tea and your cat."],
    ["The code word is swordfish.", "what's the code word?", "The code word is swordfish."],
    ["I was born in 1990", "Where was I born?", "You were born in 1990."],
  ])("remembers %j", async (statement, question, answer) => {
    expect(await lastReply(statement, question)).toContain(answer);
    expect(await lastReply(question)).toContain("I don't know");
  });

  it("lists everything users like, but only their latest favourite", async () => {
    const lines = ["I like tea", "I like cake", "I live in Rome", "I live in Oslo"];
    expect(await lastReply(...lines, "What do I like?")).toBe("You like tea. You like cake.");
    expect(await lastReply(...lines, "Where do I live?")).toBe("You live in Oslo.");
    const all = await lastReply(...lines, "My name is Al", "What do you remember?");
    expect(all).toMatch(/Your name is Al\..*tea.*cake.*Oslo/s);
    expect(all).not.toContain("Rome");
  });
});

describe("the conversation", () => {
  it("quotes the previous message, and counts the messages it was sent", async () => {
    expect(await lastReply("blue cheese", "What did I just say?")).toContain("“blue cheese”");
    expect(await lastReply("What did I say?")).toContain("not said anything");
    expect(await lastReply("a", "b", "How many messages have I sent?")).toContain("3 messages");
  });

  it("quotes the instructions it was sent", async () => {
    const messages = [systemMessage("Be brief."), userMessage("What are your instructions?")];
    expect(textOf(await ask({ messages }))).toContain("“Be brief.”");
    expect(await lastReply("Repeat your instructions")).toContain("no instructions");
  });

  it.each(["hello", "help", "Who are you?", "What can you do?"])(
    "answers %j that it is an offline demo, and how to get real answers",
    async (line) => {
      expect(await lastReply(line)).toMatch(
        /demo model.*offline.*For real answers, choose a model/s,
      );
    },
  );

  it("echoes what it cannot answer, and says that it is a demo", async () => {
    expect(await lastReply("Write a poem on spring")).toMatch(
      /“Write a poem on spring”.*demo model/,
    );
    expect((await lastReply("🦊".repeat(500))).isWellFormed()).toBe(true);
  });

  it("shows headings, a list, a table and code", async () => {
    expect(await lastReply("Show me markdown")).toMatch(/^# .*^- .*^\|.*^```/ms);
  });
});

describe("the stream", () => {
  it("comes word by word, ends with an estimated usage, and is the same every time", async () => {
    const request = { messages: [userMessage("My name is Alice")] };
    const events = await ask(request);
    const deltas = events.filter(({ type }) => type === "text-delta");
    expect(deltas.length).toBe(textOf(events).split(" ").length);
    expect(events.at(-1)).toMatchObject({ reason: "stop", usage: { estimated: true } });
    expect(await ask(request)).toEqual(events);
  });

  it("counts the texts of a request, not what is stored beside them", async () => {
    const texts = ["My name is Alice", "Nice to meet you, Alice!", "What's my name?"] as const;
    const bare = [userMessage(texts[0]), assistantMessage(texts[1]), userMessage(texts[2])];
    const beside = {
      ...{ id: 1, runId: "370e100b-f34d-496f-8e11-fbfb0ce58420", sessionId: "default" },
      ...{ createdAt: "2026-11-27T21:29:08.247Z", model: "demo" },
      usage: { inputTokens: 9, outputTokens: 44, estimated: true },
    };
    const usageOf = async (messages: readonly Message[]) =>
      (await ask({ messages })).find((event) => event.type === "finish")?.usage;
    const stored = bare.map((message) => ({ ...message, ...beside }));
    expect(await usageOf(stored)).toEqual(await usageOf(bare));
    expect(await usageOf(bare)).toEqual({ inputTokens: 16, outputTokens: 6, estimated: true });
  });

  it("stops in the middle with the signal's reason", async () => {
    const controller = new AbortController();
    const slow = new DemoModel({ delayMs: 10_000 });
    const stream = slow.stream({ messages: [userMessage("hello")] }, controller);
    const first = stream.next();
    controller.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    await expect(slow.stream({ messages: [userMessage("hi")] }, controller).next()).rejects.toThrow(
      "enough",
    );
  });

  it("answers any text, and knows nothing of any other conversation", async () => {
    await fc.assert(
      fc.asyncProperty(wildText(300), async (line) => {
        await lastReply("My name is Mallory");
        const events = await ask({ messages: [userMessage(line)] });
        expect(textOf(events)).not.toBe("");
        expect(textOf(events)).not.toContain("Mallory");
        expect(events.at(-1)?.type).toBe("finish");
      }),
    );
  });

  it.each([" ", "!", "\n", "what ", "show ", "my name is, and I ", "tell the "])(
    "answers endless repetitions of %j quickly",
    async (part) => {
      const begun = cpuTime();
      expect(await lastReply(part.repeat(100_000))).not.toBe("");
      expect(cpuTime() - begun).toBeLessThan(1_000);
    },
  );
});

describe("tools", () => {
  const asked = async (question: string, names = "calculator,clock,notes") => {
    const tools: ToolSpec[] = [...toolTable(await openToolkits(names)).values()];
    const events = await ask({ messages: [userMessage(question)], tools });
    return events.flatMap((event) =>
      event.type === "tool-call" ? [[event.name, JSON.parse(event.arguments)]] : [],
    );
  };

  it.each([
    ["what is 2+2*3", [["calculate", { expression: "2+2*3" }]]],
    ["Calculate sqrt(16)!", [["calculate", { expression: "sqrt(16)" }]]],
    ["How much is 12 divided by 4?", [["calculate", { expression: "12 / 4" }]]],
    ["What time is it?", [["current_time", {}]]],
    ["what's the date in Tokyo", [["current_time", { timeZone: "Asia/Tokyo" }]]],
    ["Remember that the meeting is at 5.", [["remember", { text: "the meeting is at 5" }]]],
    ["What do you remember?", [["recall", {}]]],
    ["What do you remember about the meeting?", [["recall", { text: "meeting" }]]],
    ["Forget the meeting", [["forget", { text: "meeting" }]]],
    [
      "What time is it and what is 2+2?",
      [
        ["current_time", {}],
        ["calculate", { expression: "2+2" }],
      ],
    ],
  ])("calls what %j asks for", async (question, calls) => {
    expect(await asked(question)).toEqual(calls);
  });

  it.each(["what is 5", "What is my name?", "hello", "What is love?", "I like 7-up"])(
    "calls nothing for %j",
    async (question) => {
      expect(await asked(question)).toEqual([]);
    },
  );

  it("calls only tools it was offered", async () => {
    expect(await asked("What time is it and what is 2+2?", "clock")).toEqual([
      ["current_time", {}],
    ]);
    expect(await asked("What is 2+2?", "clock")).toEqual([]);
  });

  it("turns results and errors of real tools into sentences", async () => {
    const tools = toolTable(await openToolkits("calculator,notes"));
    const context = toolContext({ signal });
    const converse = async (question: string) => {
      const messages: Message[] = [userMessage(question)];
      const calls = (await ask({ messages, tools: [...tools.values()] })).filter(
        (event) => event.type === "tool-call",
      );
      messages.push(assistantMessage("", calls));
      for (const call of calls) messages.push(await callTool(tools, call, context));
      return textOf(await ask({ messages, tools: [...tools.values()] }));
    };
    expect(await converse("What is 6*7?")).toBe("The result is 42.");
    expect(await converse("calculate 1/0")).toMatch(/^The calculator could not .*zero/);
    expect(await converse("Remember that my cat is Tom")).toBe("I will remember: your cat is Tom.");
    expect(await converse("What do you remember?")).toContain("your cat is Tom");
    expect(await converse("Forget the cat")).toContain("forgotten: your cat is Tom");
    expect(await converse("Forget the cat")).toContain("no note about that");
    expect(await converse("What do you remember?")).toContain("no notes yet");
  });

  it("passes on the result of a tool it does not know", async () => {
    const messages = [
      userMessage("?"),
      assistantMessage("", [{ id: "1", name: "weather", arguments: "{}" }]),
      toolMessage("1", "sunny"),
    ];
    expect(textOf(await ask({ messages }))).toBe("weather answered: sunny");
  });
});

it("names the files that came with a message, and claims nothing about them", async () => {
  const attachments: Attachment[] = [
    { name: "notes.txt", type: "text/plain", bytes: 1, hash: "0" },
    { name: "cat", type: "image/png", bytes: 20, hash: "1" },
  ];
  const reply = async (...some: Attachment[]) =>
    textOf(await ask({ messages: [{ ...userMessage("What is it?"), attachments: some }] }));
  expect(await reply(...attachments)).toMatch(
    /^I got 2 files: “notes\.txt” \(text, 1 byte\), “cat” \(a PNG picture, 20 bytes\)\. .*cannot look at pictures/,
  );
  expect(await reply(...attachments.slice(1))).toMatch(/^I got a file: “cat”/);
});
