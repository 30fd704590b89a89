import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { AgnoChatError, type ErrorCode } from "../../src/errors.js";
import type { Model } from "../../src/models/model.js";
import { createServer } from "../../src/server/index.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { Gate } from "../agent/support.js";
import { ask, chat, cleanUp, echo, eventually, get, rawChat, serve, Wire } from "./support.js";

test("answers with exactly the user and the reply", async () => {
  const served = await serve();
  const { status, headers, body } = await chat(served, "alice", "Hi");
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("application/json");
  expect(headers["cache-control"]).toBe("no-store");
  expect(body).toBe('{"user_id":"alice","reply":"You said: Hi"}');
});

test("each session is a separate conversation", async () => {
  const model = echo();
  const { url } = await serve({ model });
  for (const session_id of ["work", "home"])
    await ask(`${url}/chat`, { body: { user_id: "alice", session_id, message: session_id } });
  expect(model.requests.map(({ messages }) => messages.length)).toEqual([1, 1]);
});

const refused: [string, unknown, string][] = [
  ["bad JSON", "{", "INVALID_INPUT"],
  ["no object", "[]", "INVALID_INPUT"],
  ["null", "null", "INVALID_INPUT"],
  ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "INVALID_INPUT"],
  ["no user", { message: "Hi" }, "INVALID_USER_ID"],
  ["an empty user", { user_id: "", message: "Hi" }, "INVALID_USER_ID"],
  ["a user with white space around", { user_id: " a", message: "Hi" }, "INVALID_USER_ID"],
  ["a number as the user", { user_id: 7, message: "Hi" }, "INVALID_USER_ID"],
  ["an object as the user", { user_id: {}, message: "Hi" }, "INVALID_USER_ID"],
  ["too long a user", { user_id: "a".repeat(256), message: "Hi" }, "INVALID_USER_ID"],
  ["null as the session", { user_id: "a", session_id: null, message: "Hi" }, "INVALID_SESSION_ID"],
  ["no message", { user_id: "a" }, "INVALID_INPUT"],
  ["an empty message", { user_id: "a", message: " " }, "INVALID_INPUT"],
  ["a list as the message", { user_id: "a", message: ["Hi"] }, "INVALID_INPUT"],
];

test.each(refused)("400 for %s, and nothing is stored", async (_, body, code) => {
  const { url, memory } = await serve();
  const answer = await ask(`${url}/chat`, { body });
  expect(answer).toMatchObject({ status: 400, json: { code } });
  expect(Object.keys(answer.json)).toEqual(["error", "code"]);
  expect(await memory.users()).toEqual([]);
});

test.each([undefined, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])(
  "415 for the content type %s",
  async (type) => {
    const { url } = await serve();
    const body = JSON.stringify({ user_id: "a", message: "Hi" });
    const answer = await fetch(`${url}/chat`, {
      method: "POST",
      body: Buffer.from(body),
      headers: type === undefined ? {} : { "content-type": type },
    });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
  },
);

test("a body of 1 MiB is accepted; one byte more is drained and answered with 413", async () => {
  const { url } = await serve();
  const frame = JSON.stringify({ user_id: "a", message: "" }).length;
  const sized = (bytes: number) => ({ user_id: "a", message: "x".repeat(bytes - frame) });
  expect((await ask(`${url}/chat`, { body: sized(1024 * 1024) })).status).toBe(200);
  const answer = await ask(`${url}/chat`, { body: sized(1024 * 1024 + 1) });
  expect(answer).toMatchObject({ status: 413, json: { code: "TOO_LARGE" } });
});

const said = "401 Incorrect API key provided: sk-secret by org-secret";
const fails = (code: ErrorCode) => new AgnoChatError(code, said, { hint: said });

test.each<[Error, number, ErrorCode, string]>([
  [fails("MODEL_AUTH"), 500, "MODEL_AUTH", "The server failed. Nothing was stored."],
  [
    new TypeError("Cannot read properties of undefined"),
    502,
    "MODEL_BAD_RESPONSE",
    "The model sent an invalid answer. Nothing was stored. Try again.",
  ],
  [
    fails("MODEL_RATE_LIMITED"),
    503,
    "MODEL_RATE_LIMITED",
    "The model cannot answer at the moment. Nothing was stored. Try again in a while.",
  ],
  [
    fails("MODEL_QUOTA"),
    503,
    "MODEL_QUOTA",
    "The model's server refused the request. Nothing was stored.",
  ],
  [
    fails("CONTEXT_TOO_LONG"),
    413,
    "CONTEXT_TOO_LONG",
    "The message is too long for the model. Nothing was stored. Send less at once.",
  ],
  [
    fails("MODEL_FILTERED"),
    422,
    "MODEL_FILTERED",
    "The model's content filter stopped the reply. Nothing was stored. Rephrase the message.",
  ],
])(
  "of %s a client sees who can fix it and how, and nothing of its cause",
  async (failure, status, code, error) => {
    const { url, memory, log } = await serve({ model: new ScriptedModel([failure]) });
    const answer = await chat({ url }, "alice", "secret words");
    expect(answer).toMatchObject({ status, json: { code, error } });
    expect(answer.body).not.toMatch(/sk-|undefined|secret|at .*:\d/);
    expect(await memory.size("alice")).toBe(0);
    await eventually(() => log.length === 1);
    expect(JSON.stringify(log)).not.toMatch(/sk-|secret|alice/);
  },
);

test("429 with Retry-After when a conversation's queue is full", async () => {
  const model = new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "never"));
  const { url, port, log } = await serve({ model });
  const wire = await Wire.open(port);
  wire.socket.write(rawChat("alice").repeat(101));
  await eventually(() => model.requests.length === 1);
  const { status, headers, json } = await chat({ url }, "alice", "One more");
  expect({ status, code: json.code }).toEqual({ status: 429, code: "BUSY" });
  expect(headers["retry-after"]).toBe("1");
  const other = await ask(`${url}/size?user_id=bob`, { method: "GET" });
  expect(other.status).toBe(200);
  wire.socket.destroy();
  await eventually(() => log.length === 103);
});

test("with Accept: text/event-stream the reply streams as it is produced", async () => {
  const gate = new Gate();
  const model: Model = {
    name: "halting",
    async *stream() {
      yield { type: "text-delta", text: "Hel" };
      await gate.opened;
      yield { type: "text-delta", text: "lo" };
      yield { type: "finish", reason: "stop" };
    },
  };
  const { port } = await serve({ model });
  const wire = await Wire.open(port);
  wire.socket.write(rawChat("alice", "Hi", "Accept: text/event-stream\r\n"));
  await wire.until(/"Hel"/);
  gate.open();
  await wire.until(/event: run-end\n.*\n\n/);
  const events = [...wire.received.matchAll(/event: (\S+)\ndata: (.*)\n\n/g)];
  expect(events.map(([, name, data]) => [name, JSON.parse(data as string)])).toEqual([
    ["run-start", { run_id: expect.any(String), user_id: "alice", session_id: "default" }],
    ["text-delta", { text: "Hel" }],
    ["text-delta", { text: "lo" }],
    ["run-end", { user_id: "alice", reply: "Hello" }],
  ]);
});

test("a reply cut at the token limit is marked as cut, whole or streamed", async () => {
  const cut = { text: "Once upon", reason: "length" } as const;
  const served = await serve({ model: new ScriptedModel([cut, cut]) });
  const told = { user_id: "alice", reply: "Once upon", finish_reason: "length" };
  expect((await chat(served, "alice", "Tell")).json).toEqual(told);
  const { body } = await ask(`${served.url}/chat`, {
    headers: { accept: "text/event-stream" },
    body: { user_id: "alice", message: "Tell" },
  });
  expect(body).toContain(`event: run-end\ndata: ${JSON.stringify(told)}\n\n`);
  const { messages } = (await get(`${served.url}/history?user_id=alice`)).json;
  expect(messages[1]).toMatchObject({ content: "Once upon", finishReason: "length" });
});

test("a stream that cannot start is answered with a status", async () => {
  const { url } = await serve();
  const headers = { accept: "text/event-stream" };
  const answer = await ask(`${url}/chat`, { headers, body: { user_id: "a", message: "" } });
  expect(answer).toMatchObject({ status: 400, json: { code: "INVALID_INPUT" } });
});

test("a stream that fails ends with an error event", async () => {
  const error = new Error("sk-secret");
  const { url, log } = await serve({ model: new ScriptedModel([{ text: "Hel", error }]) });
  const headers = { accept: "text/event-stream" };
  const { status, body } = await ask(`${url}/chat`, {
    headers,
    body: { user_id: "a", message: "Hi" },
  });
  expect(status).toBe(200);
  expect(body).toMatch(
    /event: text-delta\n.*\n\nevent: error\ndata: .*"code":"MODEL_BAD_RESPONSE"/,
  );
  expect(body).not.toContain("sk-secret");
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 200, code: "MODEL_BAD_RESPONSE" });
});

test.each(["application/json", "text/event-stream"])(
  "hanging up while waiting for %s aborts the run and the model call",
  async (accept) => {
    let aborted = false;
    const model = new ScriptedModel(async (_, { signal }) => {
      await once(signal, "abort");
      aborted = true;
      return "too late";
    });
    const { port, memory, log } = await serve({ model });
    const wire = await Wire.open(port);
    wire.socket.write(rawChat("alice", "Hi", `Accept: ${accept}\r\n`));
    await eventually(() => model.requests.length === 1);
    wire.socket.destroy();
    await eventually(() => aborted && log.length === 1);
    expect(log[0]).toMatchObject({ status: 499 });
    expect(await memory.size("alice")).toBe(0);
  },
);

test("an answer takes no longer than the server allows", async () => {
  const model = new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "late"));
  const served = await serve({ model, timeouts: { reply: 20 } });
  expect(await chat(served, "alice", "Hi")).toMatchObject({
    status: 504,
    json: {
      code: "MODEL_TIMEOUT",
      error: "The model took too long. Nothing was stored. Try again, or ask for less at once.",
    },
  });
});

test("a stream that timed out says what is stored, and never asks to send it again", async () => {
  const model: Model = {
    name: "stalling",
    async *stream({ messages }, { signal }) {
      if (messages.at(-1)?.content !== "Silence") yield { type: "text-delta", text: "Half a" };
      await once(signal, "abort");
    },
  };
  const served = await serve({ model, timeouts: { reply: 300 } });
  const headers = { accept: "text/event-stream" };
  const errorOf = async (user_id: string, message: string) => {
    const { body } = await ask(`${served.url}/chat`, { headers, body: { user_id, message } });
    return JSON.parse(/event: error\ndata: (.*)\n\n$/.exec(body)?.[1] ?? "");
  };
  expect(await errorOf("alice", "Hi")).toEqual({
    error:
      "The model took too long. What was shown is stored, marked as interrupted. Ask for the rest.",
    code: "MODEL_TIMEOUT",
    stored: true,
  });
  expect(await served.memory.getMessages("alice")).toMatchObject([
    { content: "Hi" },
    { content: "Half a", interrupted: true },
  ]);
  expect(await errorOf("bob", "Silence")).toEqual({
    error: "The model took too long. Nothing was stored. Try again, or ask for less at once.",
    code: "MODEL_TIMEOUT",
    stored: false,
  });
  expect(await served.memory.size("bob")).toBe(0);
});

test("mounts in any server", async () => {
  const mounted = createServer({ agent: new Agent({ model: echo() }) });
  const own = http.createServer((request, response) => {
    if (request.url === "/own") response.end("own");
    else mounted.handler(request, response);
  });
  own.listen(0, "127.0.0.1");
  await once(own, "listening");
  cleanUp(() => own.close());
  const url = `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
  expect((await ask(`${url}/own`)).body).toBe("own");
  expect((await chat({ url }, "alice", "Hi")).json.reply).toBe("You said: Hi");
  await mounted.close();
  expect((await chat({ url }, "alice", "Hi")).status).toBe(503);
});

test("unknown paths and methods have different errors", async () => {
  const { url } = await serve();
  expect((await ask(`${url}/nothing`)).status).toBe(404);
  const answer = await ask(`${url}/history`, { body: {} });
  expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD, DELETE" } });
  expect((await ask(`${url}/chat`, { method: "toString" })).status).toBe(400);
});

test("429 with Retry-After and no model call for a user over a limit, in a stream too", async () => {
  const model = new ScriptedModel(["Hello.", "Hello."]);
  const { url } = await serve({ model, limits: { requestsPerMinute: 1 } });
  expect((await chat({ url }, "alice", "hi")).status).toBe(200);
  const refused = await chat({ url }, "alice", "hi");
  expect(refused).toMatchObject({ status: 429, json: { code: "RATE_LIMITED" } });
  const seconds = Number(refused.headers["retry-after"]);
  expect(seconds > 0 && seconds <= 60).toBe(true);
  const stream = await fetch(`${url}/chat`, {
    method: "POST",
    headers: { accept: "text/event-stream", "content-type": "application/json" },
    body: JSON.stringify({ user_id: "alice", message: "hi" }),
  });
  expect(stream.status).toBe(429);
  expect(stream.headers.get("retry-after")).not.toBeNull();
  expect((await chat({ url }, "bob", "hi")).status).toBe(200);
  expect(model.requests).toHaveLength(2);
});
