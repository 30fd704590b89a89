import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  assistantMessage,
  type Message,
  type ToolCall,
  toolMessage,
  userMessage,
} from "../../src/messages.js";
import type { ModelRequest } from "../../src/models/model.js";
import { firstDialect, toRequestBody } from "../../src/models/openai/request-body.js";
import type { WireMessage } from "../../src/models/openai/to-openai-messages.js";
import { WireNames } from "../../src/models/openai/wire-names.js";
import {
  chunk,
  ModelServer,
  type Reply,
  status,
  streamed,
  streamedCalls,
} from "../support/model-server.js";
import { ask, open } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

const bodyOf = (request: ModelRequest, names = new WireNames(request)) =>
  toRequestBody(request, { model: "m", maxTokens: undefined, dialect: firstDialect(true), names });

const sentCalls = (messages: readonly WireMessage[]) =>
  messages.flatMap((message) => ("tool_calls" in message ? (message.tool_calls ?? []) : []));

const sentResults = (messages: readonly WireMessage[]) =>
  messages.flatMap((message) => (message.role === "tool" ? [message] : []));

/** Any names and ids, including ones that look like replacements for others. */
const anyName = fc.oneof(
  fc.constantFrom("a.b", "a_b", "a:b", "a b", "", "é", "\ud800", "\udfff", "x".repeat(64)),
  fc.constantFrom("x".repeat(65), "x".repeat(66), "call_0", "call_1", "0123456789", "D681PevKs"),
  fc.string({ unit: "binary", maxLength: 80 }),
);

/** Whole runs: a question, calls, and for each call a result with its position. */
const conversation = fc
  .array(fc.array(fc.record({ id: anyName, name: anyName }), { maxLength: 4 }), { maxLength: 5 })
  .map((rounds): Message[] =>
    rounds.flatMap((calls, round): Message[] => {
      const toolCalls = calls.map((call): ToolCall => ({ ...call, arguments: "{}" }));
      const results = toolCalls.map(({ id }, index) => toolMessage(id, `${round}/${index}`));
      return [userMessage("?"), assistantMessage("Well", toolCalls), ...results];
    }),
  );

const request = fc.record({
  messages: conversation,
  tools: fc
    .uniqueArray(anyName, { maxLength: 4 })
    .map((names) => names.map((name) => ({ name, description: "", parameters: {} }))),
});

describe("whatever names and ids a history has", () => {
  it("sends valid ids, a different one for each call and the same for its result", () => {
    fc.assert(
      fc.property(request, (given) => {
        const { messages } = bodyOf(given);
        const ids = sentCalls(messages).map(({ id }) => id);
        for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
        expect(new Set(ids).size).toBe(ids.length);
        expect(sentResults(messages).map(({ tool_call_id }) => tool_call_id)).toEqual(ids);
      }),
    );
  });

  it("sends valid names, a different one for each tool, the same in tools and calls", () => {
    fc.assert(
      fc.property(request, (given) => {
        const { messages, tools = [] } = bodyOf(given);
        const sent = new Map<string, string>();
        const pairs = [
          ...given.tools.map(({ name }, index) => [name, tools[index]?.function.name]),
          ...given.messages
            .flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
            .map(({ name }, index) => [name, sentCalls(messages)[index]?.function.name]),
        ] as [string, string][];
        for (const [name, wire] of pairs) {
          expect(wire).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
          expect(sent.get(name) ?? wire).toBe(wire);
          sent.set(name, wire);
        }
        expect(new Set(sent.values()).size).toBe(sent.size);
      }),
    );
  });

  it("maps every sent name back to its tool", () => {
    fc.assert(
      fc.property(request, (given) => {
        const names = new WireNames(given);
        for (const { name } of given.tools) expect(names.toOriginal(names.toSent(name))).toBe(name);
      }),
    );
  });

  it("keeps legal names and ids, and sends the same history in the same way", () => {
    const call = { id: "D681PevKs", name: "add", arguments: "{}" };
    const history = [userMessage("?"), assistantMessage("", [call]), toolMessage(call.id, "3")];
    const { messages } = bodyOf({ messages: history });
    expect(sentCalls(messages)).toEqual([
      { id: call.id, type: "function", function: { name: "add", arguments: "{}" } },
    ]);
    fc.assert(
      fc.property(request, (given) => {
        expect(bodyOf(given)).toEqual(bodyOf(given));
      }),
    );
  });

  it("sends the beginning of a conversation unchanged as the conversation grows", () => {
    fc.assert(
      fc.property(conversation, conversation, (first, more) => {
        const legal = (messages: Message[]): Message[] =>
          messages.map((message) =>
            message.role === "assistant" && message.toolCalls
              ? assistantMessage(
                  message.content,
                  message.toolCalls.map((call) => ({ ...call, name: "tool" })),
                )
              : message,
          );
        const { messages: earlier } = bodyOf({ messages: legal(first) });
        const { messages: later } = bodyOf({ messages: legal([...first, ...more]) });
        expect(later.slice(0, earlier.length)).toEqual(earlier);
      }),
    );
  });
});

describe("a strict server", () => {
  /** Refuses everything that OpenAI or Mistral refuses. */
  const strict =
    (reply: Reply): Reply =>
    (response, incoming) => {
      const { messages, tools } = incoming.body;
      const calls = sentCalls(messages);
      const names = [...tools, ...calls].map((tool) => tool.function.name);
      const isFine =
        names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name)) &&
        calls.every(({ id }) => /^[a-zA-Z0-9]{9}$/.test(id)) &&
        new Set(calls.map(({ id }) => id)).size === calls.length;
      return (isFine ? reply : status(400, "Invalid tool call"))(response, incoming);
    };
  const given: ModelRequest = {
    messages: [
      userMessage("One"),
      assistantMessage("", [{ id: "functions.add:0", name: "math.add", arguments: "{}" }]),
      toolMessage("functions.add:0", "1"),
      userMessage("Two"),
      assistantMessage("", [{ id: "functions.add:0", name: "math.add", arguments: "{}" }]),
      toolMessage("functions.add:0", "2"),
      userMessage("Three"),
    ],
    tools: [{ name: "math.add", description: "Adds.", parameters: { type: "object" } }],
  };

  it("accepts a history from another server, which stays unchanged", async () => {
    const before = structuredClone(given);
    server = await ModelServer.start(strict(streamed(chunk({ content: "ok" }, "stop"))));
    expect((await ask(open(server.url), given)).map(({ type }) => type)).toEqual([
      "text-delta",
      "finish",
    ]);
    expect(given).toEqual(before);
  });

  it("calls a tool by its sent name, which is mapped back to its own", async () => {
    server = await ModelServer.start((response, incoming) => {
      const { name } = incoming.body.tools[0].function;
      return strict(streamedCalls({ name }))(response, incoming);
    });
    const [call] = await ask(open(server.url), given);
    expect(call).toMatchObject({ type: "tool-call", name: "math.add" });
  });
});
