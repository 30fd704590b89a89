import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { assistantMessage, systemMessage, toolMessage, userMessage } from "../../src/messages.js";
import { modelConformance } from "../../src/testing/model-conformance.js";
import {
  chunk,
  cut,
  event,
  ModelServer,
  recorded,
  stalled,
  streamed,
  streamedText,
} from "../support/model-server.js";
import { stopClock } from "../support/stopped-clock.js";
import {
  ask,
  askAndFail,
  askThenSilence,
  HELLO,
  KEY,
  never,
  open,
  textOf,
} from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

const call = (id: unknown, name: string, args: string) => ({
  type: "tool-call",
  id,
  name,
  arguments: args,
});
const counted = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens });
const estimated = expect.objectContaining({ estimated: true });
const newId = expect.stringMatching(/^[0-9a-f]{9}$/);

/** A stream of each server, in `fixtures`, and what it contains. */
const RECORDED: Record<string, { text: string; calls?: unknown[]; usage: unknown }> = {
  "openai-text": { text: "Hello, Alice! Grüße 👋🏽", usage: counted(24, 9) },
  "openai-tools": {
    text: "",
    calls: [
      call("call_AbC1", "get_weather", '{"city":"Paris"}'),
      call("call_DeF2", "get_time", '{"zone":"CET"}'),
    ],
    usage: counted(61, 33),
  },
  "openai-refusal": { text: "I can't help with that.", usage: counted(12, 7) },
  "azure-text": { text: "Bonjour", usage: estimated },
  "llama-server-2025-text": { text: "Good day.", usage: counted(14, 3) },
  "llama-server-2026-text": { text: "Good evening", usage: counted(15, 2) },
  "llama-server-2026-tools": {
    text: "",
    calls: [call("0123456789abcdef0123456789abcdef", "add", '{"a":1,"b":2}')],
    usage: counted(88, 20),
  },
  "ollama-text": { text: "Hi there", usage: counted(26, 3) },
  "ollama-tools": {
    text: "",
    calls: [call("call_9k2v", "now", "{}"), call("call_p0qs", "now", '{"zone":"UTC"}')],
    usage: estimated,
  },
  "ollama-think": { text: "Hello.", usage: estimated },
  "vllm-reasoning": { text: "Forty-two", usage: counted(19, 12) },
  "vllm-tools": { text: "", calls: [call(newId, "lookup", '{"q": "x"}')], usage: estimated },
  "openrouter-reasoning": { text: "Yes.", usage: counted(8, 31) },
  "mistral-text": { text: "Très bien", usage: counted(10, 4) },
  "mistral-tools": {
    text: "",
    calls: [call("D681PevKs", "a", '{"x": 1}'), call("Qz81PevKt", "b", "{}")],
    usage: counted(10, 4),
  },
  "mistral-thinking": { text: "Four.", usage: counted(10, 4) },
  "gateway-crlf": { text: "plain enough", usage: estimated },
  "groq-text": { text: "Fast", usage: counted(5, 1) },
};

describe("understands the stream of every server, whole and in pieces of three bytes", () => {
  for (const [name, { text, calls = [], usage }] of Object.entries(RECORDED))
    it(name, async () => {
      const raw = await readFile(new URL(`fixtures/${name}.sse`, import.meta.url), "utf8");
      server = await ModelServer.start([recorded(raw), recorded(raw, { pieceSize: 3 })]);
      const model = open(server.url);
      for (const events of [await ask(model), await ask(model)]) {
        expect(textOf(events)).toBe(text);
        expect(events.filter(({ type }) => type === "tool-call")).toEqual(calls);
        const reason = calls.length > 0 ? "tool-calls" : "stop";
        expect(events.at(-1)).toEqual({ type: "finish", reason, usage });
      }
    });
});

describe("text arrives exactly", () => {
  const UNITS = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom(
      "\ud83d",
      "\ude00",
      "👩‍👩‍👧",
      "<think>",
      "</think>",
      "\r\n",
      "data: ",
      "\n\n",
      "\u2028",
    ),
  );

  it("however it is cut into chunks and bytes", async () => {
    server = await ModelServer.start();
    const model = open(server.url);
    await fc.assert(
      fc.asyncProperty(
        fc.array(UNITS, { maxLength: 8 }),
        fc.integer({ min: 1, max: 64 }),
        async (pieces, pieceSize) => {
          const deltas = ["A", ...pieces];
          const lines = deltas.map((content) => `data: ${JSON.stringify(chunk({ content }))}\n\n`);
          const raw = `${lines.join("")}data: ${JSON.stringify(chunk({}, "stop"))}\n\n`;
          server.reply(recorded(raw, { pieceSize: pieceSize * 16 }));
          expect(textOf(await ask(model))).toBe(deltas.join(""));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("and no delta ends inside a character", async () => {
    server = await ModelServer.start(
      streamed(chunk({ content: "a\ud83d" }), chunk({ content: "\ude00b" }), chunk({}, "stop")),
    );
    const texts = (await ask(open(server.url))).map((event) => "text" in event && event.text);
    expect(texts).toEqual(["a", "😀b", false]);
  });
});

describe("the request", () => {
  const TOOL = { name: "add", description: "Adds.", parameters: { type: "object" } };

  it("holds only what is set", async () => {
    server = await ModelServer.start();
    await ask(open(server.url));
    expect(server.requests[0]?.body).toEqual({
      model: "test-model",
      messages: [{ role: "user", content: "Hello" }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("carries history, tools and the token limit, with known keys only", async () => {
    server = await ModelServer.start();
    const stored = { id: 7, runId: "r", sessionId: "s", createdAt: "now", model: "m" };
    const calls = [
      { id: "D681PevKs", name: "add", arguments: '{"a":1}' },
      { id: "Qz81PevKt", name: "add", arguments: '{"a":' },
    ];
    await ask(open(server.url, { maxTokens: 50 }), {
      messages: [
        systemMessage("Be brief."),
        { ...userMessage("1+1?"), ...stored },
        { ...assistantMessage("", calls), ...stored, interrupted: true },
        { ...toolMessage("D681PevKs", "2", true), ...stored },
        toolMessage("Qz81PevKt", "half \ud83d"),
        userMessage("And?"),
      ],
      tools: [TOOL],
    });
    expect(server.requests[0]?.body).toEqual({
      model: "test-model",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "1+1?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "D681PevKs", type: "function", function: { name: "add", arguments: '{"a":1}' } },
            { id: "Qz81PevKt", type: "function", function: { name: "add", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "D681PevKs", content: "2" },
        { role: "tool", tool_call_id: "Qz81PevKt", content: "half \ufffd" },
        { role: "user", content: "And?" },
      ],
      stream: true,
      tools: [{ type: "function", function: TOOL }],
      stream_options: { include_usage: true },
      max_tokens: 50,
    });
  });

  it("leaves out an empty answer, and joins the questions around it", async () => {
    server = await ModelServer.start();
    await ask(open(server.url), {
      messages: [userMessage("One"), assistantMessage(""), userMessage("Two")],
    });
    expect(server.requests[0]?.body.messages).toEqual([{ role: "user", content: "One\n\nTwo" }]);
  });

  it("carries the key, but nothing from the SDK or its environment variables", async () => {
    const environment = {
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
      OPENAI_API_KEY: "sk-foreign",
      OPENAI_ADMIN_KEY: "sk-admin",
      OPENAI_ORG_ID: "org-foreign",
      OPENAI_PROJECT_ID: "proj-foreign",
      OPENAI_CUSTOM_HEADERS: "Authorization: Bearer sk-custom\nX-Foreign: yes",
      OPENAI_LOG: "debug",
    };
    Object.assign(process.env, environment);
    try {
      server = await ModelServer.start();
      await ask(open(server.url));
      await ask(open(server.url, { apiKey: undefined }));
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
    }
    const [withKey, without] = server.requests.map(({ headers }) => headers);
    expect(withKey).toEqual({
      accept: "application/json",
      authorization: `Bearer ${KEY}`,
      connection: "keep-alive",
      "content-length": expect.any(String),
      "content-type": "application/json",
      host: `127.0.0.1:${server.port}`,
      "user-agent": "agno-chat",
    });
    expect(without).not.toHaveProperty("authorization");
  });

  it("trims the key", async () => {
    server = await ModelServer.start();
    await ask(open(server.url, { apiKey: ` ${KEY}\n` }));
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it("reuses the connection of the previous one", async () => {
    server = await ModelServer.start();
    const model = open(server.url);
    for (let index = 0; index < 3; index += 1) await ask(model);
    expect(server.connections).toBe(1);
  });
});

describe("the answer", () => {
  it("may arrive whole from a server that does not stream", async () => {
    server = await ModelServer.start((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const message = { role: "assistant", content: "All at once" };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      response.end(JSON.stringify({ choices, usage: { prompt_tokens: 3, completion_tokens: 3 } }));
    });
    const events = await ask(open(server.url));
    expect(events).toEqual([
      { type: "text-delta", text: "All at once" },
      { type: "finish", reason: "stop", usage: counted(3, 3) },
    ]);
  });

  it("reports that the token limit cut it", async () => {
    server = await ModelServer.start(streamed(chunk({ content: "Once upon" }, "length")));
    expect((await ask(open(server.url))).at(-1)).toMatchObject({ reason: "length" });
  });

  const done = event("[DONE]");

  it("includes text that arrives after an early finish reason", async () => {
    const chunks = [
      chunk({ content: "One" }, "stop"),
      chunk({ content: " two" }),
      chunk({}, "stop"),
    ];
    server = await ModelServer.start(streamed(...chunks));
    const events = await ask(open(server.url));
    expect(textOf(events)).toBe("One two");
    expect(events.at(-1)).toMatchObject({ type: "finish", reason: "stop" });
  });

  it("waits for more text after an early finish reason", async () => {
    let goOn = () => {};
    server = await ModelServer.start((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event(chunk({ content: "One" }, "stop")));
      goOn = () => void response.end(event(chunk({ content: " two" })) + done);
    });
    stopClock();
    const events = open(server.url).stream(HELLO, { signal: never() });
    expect(await events.next()).toMatchObject({ value: { text: "One" } });
    const next = events.next();
    await nextTurn();
    vi.advanceTimersByTime(60_000);
    goOn();
    expect(await next).toMatchObject({ value: { text: " two" } });
    expect(await events.next()).toMatchObject({ value: { type: "finish" } });
  });

  it("is incomplete when the server falls silent after a finish reason", async () => {
    server = await ModelServer.start(stalled(chunk({ content: "Half" }, "stop")));
    const { event, error } = await askThenSilence(open(server.url, { idleTimeoutMs: 250 }), 250);
    expect([event, error.code]).toEqual([{ type: "text-delta", text: "Half" }, "MODEL_TIMEOUT"]);
  });

  it("is incomplete when the connection is cut after a finish reason", async () => {
    server = await ModelServer.start(cut(chunk({ content: "Half" }, "stop")));
    const { events, error } = await askAndFail(open(server.url));
    expect([textOf(events), error.code]).toEqual(["Half", "MODEL_NETWORK"]);
  });

  for (const [what, end] of [
    ["cut", (response: ServerResponse) => void response.socket?.destroy()],
    ["kept open in silence", () => {}],
    [
      "used for more",
      (response: ServerResponse) => void response.write(event(chunk({ content: "!" }))),
    ],
  ] as const)
    it(`is complete with [DONE], even if the connection is ${what} after it`, async () => {
      server = await ModelServer.start((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(event(chunk({ content: "Done" }, "stop")) + done, () => end(response));
      });
      const events = await ask(open(server.url));
      expect(textOf(events)).toBe("Done");
      expect(events.at(-1)).toMatchObject({ type: "finish", reason: "stop" });
    });

  it("is complete when the body ends cleanly without [DONE]", async () => {
    server = await ModelServer.start(recorded(event(chunk({ content: "Done" }, "stop"))));
    expect(textOf(await ask(open(server.url)))).toBe("Done");
  });

  it("is reported as empty when nothing arrived", async () => {
    server = await ModelServer.start(streamed(chunk({ content: "" }), chunk({}, "stop")));
    expect(await ask(open(server.url))).toEqual([
      { type: "finish", reason: "stop", usage: estimated },
    ]);
  });
});

modelConformance({
  name: "OpenAIModel",
  open: async () => {
    const echo = await ModelServer.start((response, { body }) =>
      streamedText(`You said: ${JSON.stringify(body.messages)} 👋`)(response, {} as never),
    );
    return { model: open(echo.url), close: () => echo.close() };
  },
  describe,
  it,
});
