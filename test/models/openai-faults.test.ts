import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AgnoChatError, type ErrorCode } from "../../src/errors.js";
import { assistantMessage, toolMessage, userMessage } from "../../src/messages.js";
import { listModels, OpenAIModel } from "../../src/models/openai.js";
import { freePort } from "../support/free-port.js";
import {
  chunk,
  cut,
  dropped,
  event,
  ModelServer,
  type Reply,
  recorded,
  silence,
  stalled,
  status,
  streamed,
  streamedCalls,
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
  recordedTiming,
} from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

const hi = chunk({ content: "Hi" });
const toolDelta = (...calls: object[]) => chunk({ tool_calls: calls });
const html = (body: string) => recorded(body, { headers: { "content-type": "text/html" } });
const openAIError = (message: string, more: object = {}) => ({
  error: { message, type: "invalid_request_error", param: null, code: null, ...more },
});

/** A reply of a server, and the code and message of its error. */
type Fault = readonly [what: string, reply: Reply, code: ErrorCode, says: RegExp];

const STREAMS: readonly Fault[] = [
  ["an empty stream", recorded(""), "MODEL_BAD_RESPONSE", /sent an empty answer/],
  ["only [DONE]", streamed(), "MODEL_BAD_RESPONSE", /sent an empty answer/],
  ["only comments", recorded(": ping\n\n: ping\n\n"), "MODEL_BAD_RESPONSE", /empty answer/],
  ["no finish_reason", streamed(hi), "MODEL_BAD_RESPONSE", /ended before the answer did/],
  [
    "an end without [DONE] or finish_reason",
    recorded(event(hi)),
    "MODEL_BAD_RESPONSE",
    /ended before/,
  ],
  [
    "an end inside a line",
    recorded(`${event(hi)}data: {"choi`),
    "MODEL_BAD_RESPONSE",
    /unreadable/,
  ],
  ["data that is not JSON", recorded("data: {oops}\n\n"), "MODEL_BAD_RESPONSE", /unreadable/],
  ["data that is no object", recorded("data: 7\n\n"), "MODEL_BAD_RESPONSE", /unreadable/],
  [
    "malformed events under a name the SDK would print",
    recorded("event: thread.x\ndata: \u001b]52;c;aGk=\u0007\n\n"),
    "MODEL_BAD_RESPONSE",
    /unreadable/,
  ],
  [
    "a web page with 200",
    html("<!doctype html><title>Login</title>"),
    "MODEL_BAD_RESPONSE",
    /web page/,
  ],
  ["plain text with 200", html("It works!"), "MODEL_BAD_RESPONSE", /empty answer/],
  [
    "an endless event",
    recorded(`data: ${"x".repeat(8_000_001)}`),
    "MODEL_BAD_RESPONSE",
    /event that is too long/,
  ],
  ["choices of a wrong type", streamed({ choices: "none" }), "MODEL_BAD_RESPONSE", /ended before/],
  ["a cut socket after text", cut(hi), "MODEL_NETWORK", /connection .* was lost \(ECONNRESET\)/],
  [
    "{error} alone with 200",
    status(200, { error: { message: "no capacity", code: 502 } }),
    "MODEL_UNAVAILABLE",
    /failed \(502\): no capacity/,
  ],
  [
    "{error} as a text with 200",
    status(200, { error: "model crashed" }),
    "MODEL_UNAVAILABLE",
    /model crashed/,
  ],
  [
    "{error} as an event",
    streamed(hi, { error: { message: "overloaded", code: 529 } }),
    "MODEL_UNAVAILABLE",
    /overloaded/,
  ],
  [
    "{error} as an event with a named code",
    streamed(hi, { error: { message: "slow down", code: "rate_limit_exceeded" } }),
    "MODEL_RATE_LIMITED",
    /slow down/,
  ],
  [
    "a bad key as an event",
    streamed({ error: { message: "bad", type: "authentication_error" } }),
    "MODEL_AUTH",
    /bad/,
  ],
  [
    "{object: error}",
    streamed({ object: "error", message: "engine died", code: 500 }),
    "MODEL_UNAVAILABLE",
    /engine died/,
  ],
  [
    "a finish_reason error",
    streamed(chunk({}, "error")),
    "MODEL_BAD_RESPONSE",
    /stopped with an error/,
  ],
  [
    "a content filter",
    streamed(hi, chunk({}, "content_filter")),
    "MODEL_FILTERED",
    /stopped the answer/,
  ],
  [
    "the token limit inside a tool call",
    streamed(
      toolDelta({ index: 0, id: "c", function: { name: "a", arguments: '{"x' } }),
      chunk({}, "length"),
    ),
    "MODEL_BAD_RESPONSE",
    /token limit inside a tool call/,
  ],
  [
    "a tool call without a name",
    streamed(
      toolDelta({ index: 0, id: "c", function: { arguments: "{}" } }),
      chunk({}, "tool_calls"),
    ),
    "MODEL_BAD_RESPONSE",
    /without a name/,
  ],
];

const STATUSES: readonly Fault[] = [
  [
    "{error: {message}}",
    status(400, openAIError("Bad tool")),
    "MODEL_REJECTED",
    /refused the request \(400\): Bad tool\.$/,
  ],
  ["{error: text}", status(400, { error: "bad thing" }), "MODEL_REJECTED", /: bad thing\.$/],
  [
    "{message}",
    status(422, { object: "error", message: "bad temper" }),
    "MODEL_REJECTED",
    /: bad temper\.$/,
  ],
  ["{detail: text}", status(400, { detail: "bad detail" }), "MODEL_REJECTED", /: bad detail\.$/],
  [
    "{detail: [...]}",
    status(422, {
      detail: [
        { type: "extra_forbidden", loc: ["body", "messages", 0, "id"], msg: "Extra inputs" },
        { msg: "Second" },
      ],
    }),
    "MODEL_REJECTED",
    /: body\.messages\.0\.id: Extra inputs; Second\.$/,
  ],
  [
    "{message: {detail}}",
    status(422, { message: { detail: [{ loc: ["body"], msg: "No" }] } }),
    "MODEL_REJECTED",
    /No/,
  ],
  [
    "a list of errors",
    status(400, [{ error: { code: 400, message: "Gemini says no" } }]),
    "MODEL_REJECTED",
    /Gemini says no\.$/,
  ],
  [
    "a router quoting its provider",
    status(400, {
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: { raw: '{"error":{"message":"top_k"}}' },
      },
    }),
    "MODEL_REJECTED",
    /Provider returned error: top_k\.$/,
  ],
  ["text", status(400, "no way"), "MODEL_REJECTED", /: no way\.$/],
  ["nothing", status(400), "MODEL_REJECTED", /\(400\)\.$/],
  [
    "an HTML page",
    status(502, "<html><head><title>Bad Gateway</title></head><body>x</body></html>"),
    "MODEL_UNAVAILABLE",
    /\(502\): Bad Gateway\.$/,
  ],
  [
    "a redirect",
    status(308, "", { location: "https://example.test/v1/chat/completions" }),
    "MODEL_REJECTED",
    /redirects requests \(308\)/,
  ],
  [
    "500 with a number as code",
    status(500, { error: { code: 500, message: "template", type: "server_error" } }),
    "MODEL_UNAVAILABLE",
    /\(500\): template\.$/,
  ],
  [
    "a model that is still loading",
    status(503, { error: { code: 503, message: "Loading model", type: "unavailable_error" } }),
    "MODEL_UNAVAILABLE",
    /still loading its model \(503\): Loading model\.$/,
  ],
  [
    "a tool call that the server cannot read",
    status(500, {
      error: {
        code: 500,
        message: "Failed to parse input at pos 9: <tool_call>{",
        type: "server_error",
      },
    }),
    "MODEL_BAD_RESPONSE",
    /^test-model wrote a tool call that [\d.:]+ cannot read \(500\)\.$/,
  ],
  ["501", status(501), "MODEL_REJECTED", /501/],
  ["408", status(408), "MODEL_TIMEOUT", /took too long \(408\)\.$/],
  ["409", status(409), "MODEL_UNAVAILABLE", /409/],
  [
    "a 504 that mentions a time-out",
    status(504, "upstream timed out"),
    "MODEL_TIMEOUT",
    /504\): upstream timed out/,
  ],
  [
    "a wrong key",
    status(
      401,
      openAIError("Incorrect API key provided: sk-abc*******xyz", { code: "invalid_api_key" }),
    ),
    "MODEL_AUTH",
    /refused the API key \(401\): .*\[key\]\.$/,
  ],
  [
    "a wrong key with 400",
    status(400, [
      { error: { code: 400, message: "API key not valid. Please pass a valid API key." } },
    ]),
    "MODEL_AUTH",
    /API key not valid/,
  ],
  ["403", status(403, openAIError("Country not supported")), "MODEL_AUTH", /Country not supported/],
  [
    "an unknown model, OpenAI",
    status(404, openAIError("The model `gpt-4.9` does not exist", { code: "model_not_found" })),
    "MODEL_NOT_FOUND",
    /no model test-model/,
  ],
  [
    "an unknown model, Ollama",
    status(404, openAIError('model "x:1.5b" not found, try pulling it first')),
    "MODEL_NOT_FOUND",
    /try pulling/,
  ],
  [
    "an unknown model, OpenRouter",
    status(400, { error: { message: "x/y is not a valid model ID", code: 400 } }),
    "MODEL_NOT_FOUND",
    /valid model ID/,
  ],
  [
    "an unknown model, Mistral",
    status(400, {
      object: "error",
      message: "Invalid model: x",
      type: "invalid_model",
      code: "1500",
    }),
    "MODEL_NOT_FOUND",
    /Invalid model/,
  ],
  ["a wrong path", status(404, "404 page not found"), "MODEL_NOT_FOUND", /no chat API at \/v1/],
  [
    "an exhausted quota",
    status(429, openAIError("You exceeded your current quota", { code: "insufficient_quota" })),
    "MODEL_QUOTA",
    /no credit left/,
  ],
  [
    "no credits",
    status(402, { error: { message: "Insufficient credits", code: 402 } }),
    "MODEL_QUOTA",
    /Insufficient credits/,
  ],
  [
    "a rate limit that names the billing page",
    status(
      429,
      openAIError("Rate limit reached. Add a payment method at https://x.test/account/billing.", {
        code: "rate_limit_exceeded",
      }),
    ),
    "MODEL_RATE_LIMITED",
    /limits the rate of requests \(429\)/,
  ],
  [
    "a request over the tokens per minute",
    status(
      413,
      openAIError("Request too large on tokens per minute", { code: "rate_limit_exceeded" }),
    ),
    "MODEL_RATE_LIMITED",
    /413/,
  ],
  [
    "a filtered prompt",
    status(400, openAIError("content management policy", { code: "content_filter" })),
    "MODEL_FILTERED",
    /refused/,
  ],
];

/** The messages of real servers. */
const TOO_LONG: Record<string, Reply> = {
  openai: status(
    400,
    openAIError(
      "This model's maximum context length is 8192 tokens. However, you requested 9000.",
      { code: "context_length_exceeded" },
    ),
  ),
  "openai, inside the stream": streamed({
    error: {
      message: "Your input exceeds the context window of this model.",
      code: "context_length_exceeded",
    },
  }),
  "llama-server": status(400, {
    error: {
      code: 400,
      message: "the request exceeds the available context size, try increasing it",
      type: "exceed_context_size_error",
      n_prompt_tokens: 9,
      n_ctx: 4,
    },
  }),
  "llama-cpp-python": status(
    400,
    openAIError("Requested tokens (5000) exceed context window of 4096"),
  ),
  vllm: status(400, {
    object: "error",
    message:
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    code: 400,
  }),
  mistral: status(400, {
    message: "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
  }),
  groq: status(400, openAIError("Please reduce the length of the messages or completion.")),
  anthropic: status(400, openAIError("prompt is too long: 210000 tokens > 200000 maximum")),
  gemini: status(400, [
    {
      error: {
        code: 400,
        message:
          "The input token count (1050000) exceeds the maximum number of tokens allowed (1048576).",
      },
    },
  ]),
  xai: status(400, {
    error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
  }),
  tgi: status(422, {
    error: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
  }),
  "a 500 of an older server": status(500, {
    error: { code: 500, message: "context size exceeded", type: "server_error" },
  }),
  "a body too large": status(413, "Payload Too Large"),
};

describe("explains in one line", () => {
  const tooLong = Object.entries(TOO_LONG).map(
    ([name, reply]): Fault => [
      `a conversation that is too long: ${name}`,
      reply,
      "CONTEXT_TOO_LONG",
      /too long for test-model/,
    ],
  );
  for (const [what, reply, code, says] of [...STREAMS, ...STATUSES, ...tooLong])
    it(what, async () => {
      server = await ModelServer.start(reply);
      const { error } = await askAndFail(open(server.url, { maxRetries: 0 }));
      expectClear(error, code, says);
    });
});

function expectClear(error: AgnoChatError, code: ErrorCode, says: RegExp): void {
  expect(error).toBeInstanceOf(AgnoChatError);
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringMatching(says),
  });
  expect(error.hint).toMatch(/^[A-Z].*\S$/);
  for (const line of [error.message, error.hint ?? ""]) {
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect(line.length).toBeLessThan(450);
    expect(line).not.toContain(KEY);
    expect(line).not.toMatch(/sk-|^\s+at |node:/);
  }
}

describe("the reason a server gives for a failure", () => {
  it("never shows the key, a control character or more than one line", async () => {
    const keys = `${KEY}!\n\u001b]0;x\u0007and sk-proj-AAAA_bbb-1`;
    const reason = `Bad key ${keys} ${"very ".repeat(200)}long`;
    server = await ModelServer.start(status(400, openAIError(reason)));
    const { error } = await askAndFail(open(server.url));
    expectClear(error, "MODEL_REJECTED", /: Bad key \[key\]! and \[key\] very .*…$/);
    expect(String((error.cause as Error).stack)).not.toContain(KEY);
  });

  it("never shows a key of another provider either", async () => {
    const apiKey = "gsk_0123456789";
    server = await ModelServer.start(status(401, `Bad key ${apiKey}`));
    const { error } = await askAndFail(open(server.url, { apiKey }));
    expectClear(error, "MODEL_AUTH", /: Bad key \[key\]\.$/);
  });

  it("keeps the request id in the cause", async () => {
    server = await ModelServer.start(status(400, "no", { "x-request-id": "req_1" }));
    const { error } = await askAndFail(open(server.url));
    expect(String(error.cause)).toBe("Error: HTTP 400, request id req_1");
  });

  it("is kept when the connection breaks halfway through it", async () => {
    server = await ModelServer.start((response) => {
      response.writeHead(403, { "content-length": 100 });
      response.write("half a rea", () => response.socket?.destroy());
    });
    const { error } = await askAndFail(open(server.url));
    expectClear(error, "MODEL_AUTH", /\(403\): half a rea\.$/);
  });
});

describe("a connection that fails", () => {
  it("names the host that refuses, and asks whether the server is running", async () => {
    const port = await freePort();
    const { error } = await askAndFail(open(`http://127.0.0.1:${port}/v1`));
    expectClear(error, "MODEL_NETWORK", new RegExp(`Nothing is listening at 127.0.0.1:${port}`));
    expect(error.hint).toMatch(/Is the server running\?/);
  });

  it("explains https sent to an http server", async () => {
    server = await ModelServer.start();
    const { error } = await askAndFail(open(server.url.replace("http:", "https:")));
    expectClear(error, "MODEL_NETWORK", /No secure connection/);
    expect(error.hint).toMatch(/http instead of https/);
  });

  it("explains a server that does not speak HTTP", async () => {
    const other = net.createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-x\r\n"));
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    const { port } = other.address() as AddressInfo;
    const { error } = await askAndFail(open(`http://127.0.0.1:${port}/v1`));
    other.close();
    expectClear(error, "MODEL_BAD_RESPONSE", /does not answer in HTTP/);
  });

  it("gives up on a silent server", async () => {
    server = await ModelServer.start(silence());
    const { error } = await askAndFail(open(server.url, { idleTimeoutMs: 300 }));
    expectClear(error, "MODEL_TIMEOUT", /sent nothing for 0.3 s/);
    await server.hungUp();
  });

  it("gives up on a body that stalls, and keeps what arrived before", async () => {
    server = await ModelServer.start(stalled(hi));
    const { event, error } = await askThenSilence(open(server.url, { idleTimeoutMs: 300 }), 300);
    expectClear(error, "MODEL_TIMEOUT", /sent nothing for 0.3 s/);
    expect(event).toEqual({ type: "text-delta", text: "Hi" });
    await server.hungUp();
  });

  it("does not count the reader's own time as silence of the server", async () => {
    let goOn = () => {};
    server = await ModelServer.start((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event(hi));
      goOn = () => void response.end(event(hi) + event(chunk({}, "stop")));
    });
    stopClock();
    const events = open(server.url, { idleTimeoutMs: 300 }).stream(HELLO, { signal: never() });
    expect(await events.next()).toMatchObject({ value: { text: "Hi" } });
    vi.advanceTimersByTime(400);
    goOn();
    expect(await events.next()).toMatchObject({ value: { text: "Hi" } });
    expect(await events.next()).toMatchObject({ value: { type: "finish" } });
  });

  it("gives up on a TLS server that never completes the handshake", async () => {
    const mute = net.createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((listening) => mute.listen(0, "127.0.0.1", listening));
    const { port } = mute.address() as AddressInfo;
    const model = open(`https://127.0.0.1:${port}/v1`, { connectTimeoutMs: 30, maxRetries: 0 });
    const { error } = await askAndFail(model);
    mute.close();
    expectClear(error, "MODEL_TIMEOUT", /took too long to connect/);
  });
});

describe("what is refused before anything is sent", () => {
  const refused = (options: { apiKey?: string; baseUrl?: string }): AgnoChatError => {
    try {
      new OpenAIModel({ model: "m", ...options });
    } catch (thrown) {
      return thrown as AgnoChatError;
    }
    throw new Error("it was accepted");
  };

  for (const apiKey of ["sk-a\nb", "sk-é", "sk-a b", "sk-\u0000", "“sk-x”"])
    it(`an invalid key: ${JSON.stringify(apiKey)}`, () => {
      const error = refused({ apiKey });
      expectClear(error, "MODEL_AUTH", /contains an invalid character/);
      expect(error.message).not.toContain(apiKey);
    });

  it("no key, or a blank one, for OpenAI", () => {
    expectClear(refused({}), "MODEL_AUTH", /api.openai.com needs an API key/);
    expectClear(refused({ apiKey: " \n" }), "MODEL_AUTH", /needs an API key/);
  });

  for (const baseUrl of [
    "localhost:1234",
    "file:///etc",
    "",
    "https://u:p@host.test/v1",
    "http://host.test/v1?x=1",
  ])
    it(`an invalid base URL: ${JSON.stringify(baseUrl)}`, () => {
      expectClear(refused({ apiKey: KEY, baseUrl }), "CONFIG_INVALID", /plain http or https URL/);
    });
});

describe("tool calls", () => {
  const callsOf = async (reply: Reply, request = HELLO) => {
    server = await ModelServer.start(reply);
    const events = await ask(open(server.url), request);
    expect(events.at(-1)).toMatchObject({ type: "finish", reason: "tool-calls" });
    return events.flatMap((event) =>
      event.type === "tool-call" ? [[event.id, event.name, event.arguments]] : [],
    );
  };
  const whole = (id: unknown, name: string, args: unknown, index?: number) => ({
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
    function: { name, arguments: args },
  });
  const newId = expect.stringMatching(/^[0-9a-f]{9}$/);

  it("count even if the finish reason is stop", async () => {
    const calls = await callsOf(streamed(toolDelta(whole("c1", "a", "{}", 0)), chunk({}, "stop")));
    expect(calls).toEqual([["c1", "a", "{}"]]);
  });

  it("get a new id if theirs is missing, empty, too long or already used", async () => {
    const request = {
      messages: [
        userMessage("?"),
        assistantMessage("", [{ id: "old", name: "a", arguments: "{}" }]),
        toolMessage("old", "1"),
      ],
    };
    const ids = [undefined, "", "c1", "c1", "x".repeat(41), "old"];
    const reply = streamed(
      ...ids.map((id, index) => toolDelta(whole(id, `a${index}`, "{}", index))),
      chunk({}, "tool_calls"),
    );
    const got = (await callsOf(reply, request)).map(([id]) => id);
    expect(got).toEqual([newId, newId, "c1", newId, newId, newId]);
    expect(new Set(got).size).toBe(6);
  });

  it("turn missing arguments into {}", async () => {
    const reply = streamed(
      toolDelta(whole("c1", "a", "", 0), whole("c2", "b", undefined, 1)),
      chunk({}, "tool_calls"),
    );
    expect(await callsOf(reply)).toEqual([
      ["c1", "a", "{}"],
      ["c2", "b", "{}"],
    ]);
  });

  it("take arguments that come as an object, and keep what is not JSON", async () => {
    const reply = streamed(
      toolDelta(whole("c1", "a", { x: 1 }, 0), whole("c2", "b", "{oops", 1)),
      chunk({}, "tool_calls"),
    );
    expect(await callsOf(reply)).toEqual([
      ["c1", "a", '{"x":1}'],
      ["c2", "b", "{oops"],
    ]);
  });

  it("are all kept when several arrive", async () => {
    const calls = await callsOf(streamedCalls({ name: "a" }, { name: "b", arguments: { x: 1 } }));
    expect(calls).toEqual([
      ["call_0", "a", "{}"],
      ["call_1", "b", '{"x":1}'],
    ]);
  });

  it("are told apart without an index", async () => {
    const reply = streamed(
      toolDelta(whole("c1", "a", '{"x"')),
      toolDelta({ function: { arguments: ":1}" } }),
      toolDelta(whole("c2", "a", "{}")),
      chunk({}, "tool_calls"),
    );
    expect(await callsOf(reply)).toEqual([
      ["c1", "a", '{"x":1}'],
      ["c2", "a", "{}"],
    ]);
  });

  it("are told apart when all have the index 0", async () => {
    const reply = streamed(
      toolDelta(whole("c1", "a", "{}", 0)),
      toolDelta(whole("c2", "a", "{}", 0)),
      toolDelta(whole("", "b", "{}", 0)),
      chunk({}, "tool_calls"),
    );
    expect(await callsOf(reply)).toEqual([
      ["c1", "a", "{}"],
      ["c2", "a", "{}"],
      [newId, "b", "{}"],
    ]);
  });

  it("are one call even when every piece repeats id and name", async () => {
    const reply = streamed(
      toolDelta(whole("c1", "a", "", 0)),
      toolDelta(whole("c1", "a", '{"x":', 0)),
      toolDelta(whole("c1", "a", "1}", 0)),
      toolDelta(whole("c1", "a", "", 0)),
      chunk({}, "tool_calls"),
    );
    expect(await callsOf(reply)).toEqual([["c1", "a", '{"x":1}']]);
  });
});

describe("a server that does not support a parameter", () => {
  it("is asked once more without stream_options, and never sent it again", async () => {
    server = await ModelServer.start((response, request) =>
      request.body.stream_options
        ? status(400, openAIError("Unrecognized request argument supplied: stream_options"))(
            response,
            request,
          )
        : streamed(chunk({ content: "ok" }, "stop"))(response, request),
    );
    const model = open(server.url);
    await ask(model);
    await ask(model);
    expect(server.requests.map(({ body }) => "stream_options" in body)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("gets the token limit under its other name after one refusal", async () => {
    const refusal = openAIError(
      "Unsupported parameter: 'max_tokens' is not supported with this model. " +
        "Use 'max_completion_tokens' instead.",
      { param: "max_tokens", code: "unsupported_parameter" },
    );
    server = await ModelServer.start([
      status(400, refusal),
      streamed(chunk({ content: "ok" }, "stop")),
    ]);
    await ask(open(server.url, { maxTokens: 9 }));
    const [first, second] = server.requests.map(({ body }) => body);
    expect([first.max_tokens, second.max_tokens, second.max_completion_tokens]).toEqual([
      9,
      undefined,
      9,
    ]);
  });

  it("is not asked forever when it supports neither name", async () => {
    server = await ModelServer.start((response, { body }) => {
      const name = "max_tokens" in body ? "max_tokens" : "max_completion_tokens";
      return status(400, openAIError(`Unsupported parameter: ${name}`))(response, {} as never);
    });
    const { error } = await askAndFail(open(server.url, { maxTokens: 9 }));
    expect(error.code).toBe("MODEL_REJECTED");
    expect(server.requests).toHaveLength(2);
  });

  it("is not asked again when the limit is merely too large", async () => {
    server = await ModelServer.start(status(400, openAIError("max_tokens is too large: 9")));
    await askAndFail(open(server.url, { maxTokens: 9 }));
    expect(server.requests).toHaveLength(1);
  });
});

describe("retries", () => {
  const text = streamed(chunk({ content: "ok" }, "stop"));

  it("are announced, wait longer each time, and end with the last failure", async () => {
    server = await ModelServer.start(status(503, "busy"));
    const { timing, delays } = recordedTiming();
    const { events, error } = await askAndFail(open(server.url, { timing }));
    const host = `127.0.0.1:${server.port}`;
    expect(events).toEqual(
      [500, 1000, 2000].map((delayMs, index) => ({
        type: "retry",
        attempt: index + 1,
        delayMs,
        reason: `${host} failed (503): busy.`,
      })),
    );
    expect(delays).toEqual([500, 1000, 2000]);
    expect(error.code).toBe("MODEL_UNAVAILABLE");
  });

  for (const code of [408, 409, 429, 500, 502, 503, 504, 529])
    it(`hide a single ${code}`, async () => {
      server = await ModelServer.start([status(code), text]);
      const events = await ask(open(server.url, { timing: recordedTiming().timing }));
      expect(events.map(({ type }) => type)).toEqual(["retry", "text-delta", "finish"]);
    });

  it("hide a connection that is dropped before the first word", async () => {
    server = await ModelServer.start([
      dropped(),
      cut(chunk({ role: "assistant", content: "" })),
      text,
    ]);
    const events = await ask(open(server.url, { timing: recordedTiming().timing }));
    expect(events.map(({ type }) => type)).toEqual(["retry", "retry", "text-delta", "finish"]);
  });

  it("hide an error event before the first word", async () => {
    server = await ModelServer.start([streamed({ error: { message: "busy", code: 503 } }), text]);
    expect(await ask(open(server.url, { timing: recordedTiming().timing }))).toHaveLength(3);
  });

  it("never come after the first word", async () => {
    server = await ModelServer.start([cut(hi), text]);
    const { events, error } = await askAndFail(
      open(server.url, { timing: recordedTiming().timing }),
    );
    expect(events).toEqual([{ type: "text-delta", text: "Hi" }]);
    expect([error.code, server.requests.length]).toEqual(["MODEL_NETWORK", 1]);
  });

  for (const [header, value, waits] of [
    ["retry-after", "7", 7000],
    ["retry-after", "0.25", 250],
    ["retry-after", "3600", 20_000],
    ["retry-after-ms", "123", 123],
    ["retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", 0],
    ["retry-after", "soon", 500],
  ] as const)
    it(`wait as long as the server asks: ${header}: ${value}`, async () => {
      server = await ModelServer.start([status(429, "", { [header]: value }), text]);
      const { timing, delays } = recordedTiming();
      await ask(open(server.url, { timing }));
      expect(delays).toEqual([waits]);
    });

  it("do not follow an exhausted quota, a wrong key or a refused request", async () => {
    for (const reply of [
      status(429, openAIError("x", { code: "insufficient_quota" })),
      status(401),
      status(400),
    ]) {
      server = await ModelServer.start(reply);
      await askAndFail(open(server.url, { timing: recordedTiming().timing }));
      expect(server.requests).toHaveLength(1);
      await server.close();
    }
    server = await ModelServer.start();
  });
});

describe("a failure that the same request would repeat", () => {
  it("is not retried: a tool call that the server cannot read", async () => {
    server = await ModelServer.start(
      status(500, { error: { message: "Failed to parse tool call" } }),
    );
    const { events } = await askAndFail(open(server.url, { timing: recordedTiming().timing }));
    expect([events, server.requests.length]).toEqual([[], 1]);
  });
});

describe("listModels", () => {
  const loading = status(503, { error: { code: 503, message: "Loading model" } });

  it("waits for a server that is loading its model, as long as a completion does", async () => {
    const replies = [loading, loading, status(200, { data: [{ id: "m" }] })];
    server = await ModelServer.start([], { models: (...args) => replies.shift()?.(...args) });
    const { timing, delays } = recordedTiming();
    expect(await listModels({ baseUrl: server.url, signal: never(), timing })).toEqual(["m"]);
    expect(delays).toEqual([500, 1000]);
  });

  it("says to wait when that takes longer", async () => {
    server = await ModelServer.start([], { models: loading });
    const { timing, delays } = recordedTiming();
    const options = { baseUrl: server.url, signal: never(), timing };
    const error = await listModels(options).catch((thrown) => thrown);
    expectClear(error, "MODEL_UNAVAILABLE", /still loading its model/);
    expect([error.hint, delays.length]).toEqual(["Wait a little, then try again.", 3]);
  });

  for (const code of [404, 405, 501])
    it(`says how to go on without a list (${code}), and does not mention the chat`, async () => {
      server = await ModelServer.start([], { models: status(code, "not here") });
      const options = { baseUrl: server.url, signal: never() };
      const error = await listModels(options).catch((thrown) => thrown);
      expectClear(error, "MODEL_NOT_FOUND", /does not list its models at \/v1\.$/);
      expect(error.hint).toMatch(/^Name the model yourself/);
    });

  it("returns the models in the server's order", async () => {
    server = await ModelServer.start([], { models: ["b", "a"] });
    expect(await listModels({ baseUrl: server.url, signal: never() })).toEqual(["b", "a"]);
  });

  const failing: Record<string, [Reply, ErrorCode]> = {
    "a refused key": [status(401, "no"), "MODEL_AUTH"],
    "a page": [html("<html>"), "MODEL_BAD_RESPONSE"],
    "no list": [status(200, { ok: true }), "MODEL_BAD_RESPONSE"],
    nothing: [status(200, ""), "MODEL_BAD_RESPONSE"],
    "a wrong path": [status(404, "not found"), "MODEL_NOT_FOUND"],
  };
  for (const [what, [reply, code]] of Object.entries(failing))
    it(`explains in one line: ${what}`, async () => {
      server = await ModelServer.start([], { models: reply });
      const options = { baseUrl: server.url, apiKey: KEY, signal: never() };
      const failed = listModels(options).catch((thrown) => thrown);
      expectClear(await failed, code, /\S/);
    });

  it("stops with the reason of the signal", async () => {
    const reason = new Error("enough");
    const options = { baseUrl: "http://127.0.0.1:1/v1", signal: AbortSignal.abort(reason) };
    await expect(listModels(options)).rejects.toBe(reason);
  });
});
