import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Message, StreamResponse } from "@a2a-js/sdk";
import { Role } from "@a2a-js/sdk";
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
} from "@a2a-js/sdk/client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AgnoChatError } from "../../src/errors.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Tokens } from "../../src/memory/memory.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { ask, echo, eventually, get, rawPost, type Served, serve, Wire } from "./support.js";

const VERSIONS = ["1.0", "0.3"] as const;
type Version = (typeof VERSIONS)[number];

/** The official client. For 0.3 it follows the card, as an agent of that version would. */
async function clientOf({ url }: Served, version: Version, token?: string): Promise<Client> {
  const legacyCompat = { enabled: true };
  const fetchImpl: typeof fetch = (input, init) => {
    // Proves that it speaks the intended version.
    const body = JSON.parse(String(init?.body));
    expect(body.method).toMatch(version === "1.0" ? /^[A-Z]/ : /^(message|tasks)\//);
    const headers = new Headers(init?.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new JsonRpcTransportFactory({ legacyCompat, fetchImpl })],
    cardResolver: new DefaultAgentCardResolver({ legacyCompat }),
  } as never);
  const factory = new ClientFactory(options);
  if (version === "1.0") return factory.createFromUrl(url);
  const card = (await get(`${url}/.well-known/agent-card.json`)).json;
  delete card.supportedInterfaces;
  const { parseLegacyAgentCard } = await import("@a2a-js/sdk/compat/v0_3/client");
  return factory.createFromAgentCard(parseLegacyAgentCard(card));
}

const saying = (text: string, contextId = ""): { message: Message } & object => ({
  message: {
    messageId: randomUUID(),
    contextId,
    taskId: "",
    role: Role.ROLE_USER,
    parts: [
      {
        content: { $case: "text", value: text },
        metadata: undefined,
        filename: "",
        mediaType: "",
      },
    ],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
});

const textOf = (message: Message): string =>
  message.parts.map(({ content }) => (content?.$case === "text" ? content.value : "")).join("");

test.each(VERSIONS)(
  "the official client of %s with a token reaches its own user, whatever context it names",
  async (version) => {
    const memory = new InMemory();
    const tokens = memory.tokens as Tokens;
    const served = await serve({ memory, tokens });
    const client = await clientOf(served, version, (await tokens.create("alice")).token);
    const reply = (await client.sendMessage(saying("Hi", "bob") as never)) as Message;
    expect([textOf(reply), reply.contextId]).toEqual(["You said: Hi", "bob"]);
    expect(memory.sessions("alice")).toMatchObject([{ sessionId: "bob", messages: 2 }]);
    expect(memory.size("bob")).toBe(0);
    const stranger = await clientOf(served, version, "wrong");
    await expect(stranger.sendMessage(saying("Hi", "bob") as never)).rejects.toThrow();
    expect(memory.users()).toHaveLength(1);
  },
);

test.each(VERSIONS)(
  "the official client of %s sends, and its context is the user",
  async (version) => {
    const served = await serve();
    const client = await clientOf(served, version);
    const reply = (await client.sendMessage(saying("Hi", "alice") as never)) as Message;
    expect([textOf(reply), reply.contextId]).toEqual(["You said: Hi", "alice"]);
    expect(await served.memory.size("alice")).toBe(2);
  },
);

test.each(VERSIONS)("the client of %s gets a new context if it sends none", async (version) => {
  const served = await serve();
  const client = await clientOf(served, version);
  const first = (await client.sendMessage(saying("Hi") as never)) as Message;
  const second = (await client.sendMessage(saying("Hi") as never)) as Message;
  expect(first.contextId).toMatch(/^[0-9a-f-]{36}$/);
  expect(second.contextId).not.toBe(first.contextId);
  expect(await served.memory.size(first.contextId)).toBe(2);
});

test.each(VERSIONS)(
  "the official client of %s streams the text as it is produced",
  async (version) => {
    const served = await serve({ model: new ScriptedModel([{ text: ["Hel", "lo"] }]) });
    const client = await clientOf(served, version);
    const events: StreamResponse[] = [];
    for await (const event of client.sendMessageStream(saying("Hi", "alice") as never))
      events.push(event);
    expect(events.map(({ payload }) => payload?.$case)).toEqual([
      "task",
      "artifactUpdate",
      "artifactUpdate",
      "statusUpdate",
    ]);
    const texts = events.flatMap(({ payload }) =>
      payload?.$case === "artifactUpdate" ? (payload.value.artifact?.parts ?? []) : [],
    );
    expect(textOf({ parts: texts } as Message)).toBe("Hello");
    const last = events.at(-1)?.payload;
    expect(last?.$case === "statusUpdate" && last.value.status?.state).toBe(3);
  },
);

test.each(VERSIONS)("the metadata of %s say that a reply was cut", async (version) => {
  const cut = { text: "Once upon", reason: "length" } as const;
  const served = await serve({ model: new ScriptedModel([cut, cut, "The end."]) });
  const client = await clientOf(served, version);
  const sent = (await client.sendMessage(saying("Tell", "alice") as never)) as Message;
  expect(sent.metadata).toEqual({ finishReason: "length" });
  const events: StreamResponse[] = [];
  for await (const event of client.sendMessageStream(saying("Tell", "alice") as never))
    events.push(event);
  expect(events.at(-1)?.payload?.value).toMatchObject({ metadata: { finishReason: "length" } });
  const whole = (await client.sendMessage(saying("On", "alice") as never)) as Message;
  expect(whole.metadata?.finishReason).toBeUndefined();
});

test.each(VERSIONS)("no method of %s shows a task or a message to anyone", async (version) => {
  const served = await serve({
    model: new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "never")),
  });
  const client = await clientOf(served, version);
  const stream = client.sendMessageStream(saying("my secret", "alice") as never);
  const first = (await stream.next()).value as StreamResponse;
  const id = first.payload?.$case === "task" ? first.payload.value.id : "";
  expect(id).not.toBe("");
  const other = await clientOf(served, version);
  for (const show of [
    () => other.getTask({ id, tenant: "" } as never),
    () => other.cancelTask({ id, tenant: "" } as never),
    () => other.resubscribeTask({ id, tenant: "" } as never).next(),
    () => other.sendMessage({ message: { ...saying("Hi", "bob").message, taskId: id } } as never),
  ])
    await expect(show()).rejects.toThrow(/not found|no such task/i);
  const listed = await rpc(served, "1.0", "ListTasks", {});
  expect(listed.json.result).toEqual({ tasks: [], nextPageToken: "", pageSize: 50, totalSize: 0 });
  const mine = await rpc(served, "1.0", "ListTasks", { contextId: "alice" });
  expect(mine.json.result.tasks).toEqual([]);
  await stream.return(undefined as never);
});

const SEND = { "1.0": "SendMessage", "0.3": "message/send" };
const STREAM = { "1.0": "SendStreamingMessage", "0.3": "message/stream" };

const rpc = ({ url }: Served, version: string, method: string, params: unknown) =>
  ask(`${url}/a2a`, {
    headers: version === "0.3" ? {} : { "a2a-version": version },
    body: { jsonrpc: "2.0", id: 1, method, params },
  });

const goodMessage = (version: Version): Record<string, unknown> =>
  version === "1.0"
    ? { messageId: "m", role: "ROLE_USER", contextId: "alice", parts: [{ text: "Hi" }] }
    : {
        kind: "message",
        messageId: "m",
        role: "user",
        contextId: "alice",
        parts: [{ kind: "text", text: "Hi" }],
      };

test.each(VERSIONS)("hanging up on %s aborts the run and the model call", async (version) => {
  let aborted = 0;
  const model = new ScriptedModel(async (_, { signal }) => {
    await once(signal, "abort");
    aborted += 1;
    return "too late";
  });
  const { port, memory } = await serve({ model });
  for (const method of [SEND[version], STREAM[version]]) {
    const wire = await Wire.open(port);
    const params = { message: goodMessage(version) };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = version === "1.0" ? "A2A-Version: 1.0\r\n" : "";
    wire.socket.write(rawPost("/a2a", body, headers));
    const before = model.requests.length;
    await eventually(() => model.requests.length > before);
    wire.socket.destroy();
  }
  await eventually(() => aborted === 2);
  expect(await memory.size("alice")).toBe(0);
});

test.each(VERSIONS)("the error of a failed run of %s hides its cause", async (version) => {
  const secret = () => new Error("401 Incorrect API key provided: sk-secret");
  const error = secret();
  const served = await serve({ model: new ScriptedModel([secret(), { text: "Hel", error }]) });
  const params = { message: goodMessage(version) };
  const sent = await rpc(served, version, SEND[version], params);
  expect(sent).toMatchObject({ status: 200, json: { id: 1, error: { code: -32603 } } });
  const streamed = await rpc(served, version, STREAM[version], params);
  expect(streamed.body).toMatch(version === "1.0" ? /TASK_STATE_FAILED/ : /"state":"failed"/);
  for (const { body } of [sent, streamed]) expect(body).not.toMatch(/sk-|\b401\b|\.ts|\.js/);
});

test.each(VERSIONS)(
  "the error of a failed run of %s says who can fix it and what is stored",
  async (version) => {
    const error = new AgnoChatError("MODEL_NETWORK", "secret");
    const tooLong = new AgnoChatError("CONTEXT_TOO_LONG", "secret");
    const served = await serve({ model: new ScriptedModel([tooLong, { text: "Half a", error }]) });
    const params = { message: goodMessage(version) };
    const sent = await rpc(served, version, SEND[version], params);
    expect(sent.json.error).toMatchObject({
      message: expect.stringContaining("Send less at once."),
    });
    expect(sent.json.error.code).not.toBe(-32603);
    const { body } = await rpc(served, version, STREAM[version], params);
    expect(body).toContain("Nothing was stored. Try again in a while.");
    expect(sent.body + body).not.toContain("secret");
  },
);

test("deeply nested params are refused before the SDK reads them", async () => {
  const { url, log } = await serve();
  const depth = 100_000;
  const deep = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const message = JSON.stringify({ ...goodMessage("0.3"), metadata: {} }).replace(
    '"metadata":{}',
    `"metadata":${deep}`,
  );
  const body = `{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":${message}}}`;
  const { status, json } = await ask(`${url}/a2a`, { body });
  expect(status).toBe(200);
  expect(json.error).toEqual({
    code: -32602,
    message: expect.stringContaining("nested deeper than 100 levels"),
  });
  await eventually(() => log.length === 1);
  expect(log[0]).not.toMatchObject({ code: "INTERNAL" });
});

test("with authentication the context is the caller's own session", async () => {
  const served = await serve({
    authenticate: ({ headers }) => ({ userId: String(headers["x-user"]) }),
  });
  const send = (user: string) =>
    ask(`${served.url}/a2a`, {
      headers: { "x-user": user, "a2a-version": "1.0" },
      body: {
        jsonrpc: "2.0",
        id: 1,
        method: "SendMessage",
        params: { message: goodMessage("1.0") },
      },
    });
  await send("bob");
  await send("carol");
  expect(await served.memory.size("alice")).toBe(0);
  expect(await served.memory.size("bob", { sessionId: "alice" })).toBe(2);
  expect(await served.memory.size("carol", { sessionId: "alice" })).toBe(2);
});

const bodies: [string, string, number][] = [
  ["no JSON", "{", -32700],
  ["a batch", "[]", -32600],
  ["null", "null", -32600],
  ["no jsonrpc", '{"id":1,"method":"SendMessage"}', -32600],
  ["an object as the id", '{"jsonrpc":"2.0","id":{},"method":"SendMessage"}', -32600],
  ["a fraction as the id", '{"jsonrpc":"2.0","id":1.5,"method":"SendMessage"}', -32600],
  ["no method", '{"jsonrpc":"2.0","id":1}', -32600],
  ["an unknown method", '{"jsonrpc":"2.0","id":1,"method":"Nope","params":{}}', -32601],
  ["a list as params", '{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":[]}', -32602],
];

test.each(bodies)("%s is its JSON-RPC error", async (_, body, code) => {
  const { url } = await serve();
  for (const headers of [{ "a2a-version": "1.0" }, {}] as Record<string, string>[]) {
    const { status, json } = await ask(`${url}/a2a`, { headers, body });
    expect({ status, code: json.error.code }).toEqual({ status: 200, code });
  }
});

const strange: [string, Record<string, unknown>, number][] = [
  ["contextId as a number", { contextId: 7 }, -32602],
  ["contextId as an object", { contextId: {} }, -32602],
  ["contextId as null", { contextId: null }, -32602],
  ["white space around contextId", { contextId: " alice" }, -32602],
  ["context_id in its place", { contextId: undefined, context_id: "bob" }, -32602],
  ["messageId as a number", { messageId: 7 }, -32602],
  ["no messageId", { messageId: undefined }, -32602],
  ["another role", { role: "robot" }, -32602],
  ["no role", { role: undefined }, -32602],
  ["no parts", { parts: undefined }, -32602],
  ["empty parts", { parts: [] }, -32602],
  ["parts that are texts", { parts: ["Hi"] }, -32602],
  ["text as a number", { parts: [{ kind: "text", text: 7 }] }, -32602],
  ["a blank text", { parts: [{ kind: "text", text: " " }] }, -32602],
  ["metadata as a text", { metadata: "x" }, -32602],
  ["extensions as an object", { extensions: {} }, -32602],
  ["a file", { parts: [{ kind: "file", url: "http://x", file: { uri: "http://x" } }] }, -32005],
  ["data", { parts: [{ kind: "data", data: {} }] }, -32005],
  ["an unknown task", { taskId: "t" }, -32001],
  [
    "a text of another media type",
    { parts: [{ kind: "text", text: "Hi", mediaType: "text/html" }] },
    -32005,
  ],
  [
    "one such text among others",
    {
      parts: [
        { kind: "text", text: "Hi" },
        { kind: "text", text: "{}", media_type: "application/json" },
      ],
    },
    -32005,
  ],
];

test.each(strange)("%s is refused, never merged or cleaned", async (_, fields, code) => {
  const served = await serve();
  for (const version of VERSIONS)
    for (const method of [SEND[version], STREAM[version]]) {
      const message = { ...goodMessage(version), ...fields };
      const { json } = await rpc(served, version, method, { message });
      expect(json).toMatchObject({ jsonrpc: "2.0", id: 1, error: { code } });
    }
  expect(await served.memory.users()).toEqual([]);
});

test.each(VERSIONS)("a text part of %s may declare text/plain", async (version) => {
  const served = await serve();
  const parts = [{ kind: "text", text: "Hi", mediaType: "Text/Plain; charset=utf-8" }];
  const message = { ...goodMessage(version), parts };
  const { json } = await rpc(served, version, SEND[version], { message });
  expect(json.result).toBeDefined();
});

test.each(VERSIONS)("a notification of %s is carried out and not answered", async (version) => {
  const served = await serve();
  const headers = { "a2a-version": version };
  const send = (method: string, params: object) =>
    ask(`${served.url}/a2a`, { headers, body: { jsonrpc: "2.0", method, params } });
  const params = { message: goodMessage(version) };
  const answers = [
    await send(SEND[version], params),
    await send(STREAM[version], params),
    await send(SEND[version], {}),
    await send("nope", {}),
  ];
  for (const { status, body } of answers)
    expect({ status, body }).toEqual({ status: 204, body: "" });
  expect(await served.memory.size("alice")).toBe(4);
  await eventually(() => served.log.length === 4);
  expect(served.log.map(({ code }) => code)).toEqual([undefined, undefined, "-32602", "-32601"]);
});

test.each([7, "seven", 0, ""])("the id %j is echoed in every error", async (id) => {
  const { url } = await serve();
  const faults: [Record<string, string>, object][] = [
    [{}, { jsonrpc: "1.0" }],
    [{}, { jsonrpc: "2.0" }],
    [{}, { jsonrpc: "2.0", method: "nope" }],
    [{}, { jsonrpc: "2.0", method: "message/send", params: [] }],
    [{ "a2a-version": "9.9" }, { jsonrpc: "2.0", method: "SendMessage" }],
  ];
  for (const [headers, fields] of faults) {
    const { json } = await ask(`${url}/a2a`, { headers, body: { ...fields, id } });
    expect(json).toMatchObject({ jsonrpc: "2.0", id, error: { code: expect.any(Number) } });
  }
});

const configurations: [object, number][] = [
  [{ acceptedOutputModes: ["image/png"] }, -32005],
  [{ acceptedOutputModes: "text/plain" }, -32602],
  [{ historyLength: -1 }, -32602],
  [{ pushNotificationConfig: { url: "http://x" } }, -32003],
  [{ taskPushNotificationConfig: { url: "http://x" } }, -32003],
];

test.each(configurations)("the configuration %j is refused", async (configuration, code) => {
  const served = await serve();
  const params = { message: goodMessage("1.0"), configuration };
  expect((await rpc(served, "1.0", "SendMessage", params)).json.error.code).toBe(code);
});

test("unsupported methods answer with the specified errors", async () => {
  const served = await serve();
  const codeOf = async (version: string, method: string, params: object) =>
    (await rpc(served, version, method, params)).json.error.code;
  expect(await codeOf("1.0", "GetTask", { id: "t" })).toBe(-32001);
  expect(await codeOf("1.0", "GetTask", { id: 7 })).toBe(-32602);
  expect(await codeOf("1.0", "CancelTask", { id: "t" })).toBe(-32001);
  expect(await codeOf("1.0", "SubscribeToTask", { id: "t" })).toBe(-32001);
  expect(await codeOf("1.0", "CreateTaskPushNotificationConfig", { taskId: "t" })).toBe(-32003);
  expect(await codeOf("1.0", "GetExtendedAgentCard", {})).toBe(-32004);
  expect(await codeOf("0.3", "tasks/get", { id: "t" })).toBe(-32001);
  expect(await codeOf("0.3", "tasks/resubscribe", { id: "t" })).toBe(-32001);
});

test("the version is that of the header, without the patch number; 0.3 by default", async () => {
  const served = await serve();
  const params = { message: goodMessage("1.0") };
  for (const version of ["1.0", "1.0.1"])
    expect((await rpc(served, version, "SendMessage", params)).json.result.message).toBeDefined();
  for (const version of ["2.0", "1", "x"])
    expect((await rpc(served, version, "SendMessage", params)).json.error.code).toBe(-32009);
  const legacy = await rpc(served, "0.3", "message/send", { message: goodMessage("0.3") });
  expect(legacy.json.result.kind).toBe("message");
});

test("the card names both versions at one address, in the requested form", async () => {
  const { url } = await serve({ publicUrl: "https://chat.example/" });
  const path = `${url}/.well-known/agent-card.json`;
  const current = (await get(path, { "a2a-version": "1.0" })).json;
  expect(current.supportedInterfaces).toMatchObject([
    { url: "https://chat.example/a2a", protocolBinding: "JSONRPC", protocolVersion: "1.0" },
    { url: "https://chat.example/a2a", protocolBinding: "JSONRPC", protocolVersion: "0.3" },
  ]);
  expect(current.url).toBeUndefined();
  const legacy = (await get(path)).json;
  expect(legacy).toMatchObject({
    url: "https://chat.example/a2a",
    preferredTransport: "JSONRPC",
    protocolVersion: "0.3.0",
  });
});

test("any JSON is answered with JSON-RPC, leaks nothing and stores nothing invalid", async () => {
  const served = await serve({ model: echo() });
  const methods = [...Object.values(SEND), ...Object.values(STREAM), "GetTask", "ListTasks", "x"];
  const wild = fc.record(
    {
      jsonrpc: fc.oneof(fc.constant("2.0"), fc.jsonValue()),
      id: fc.oneof(fc.constant(1), fc.jsonValue()),
      method: fc.constantFrom(...methods),
      params: fc.oneof(
        fc.jsonValue(),
        fc.record({ message: fc.oneof(fc.jsonValue(), wildMessage()) }),
      ),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(wild, fc.constantFrom("1.0", ""), async (body, version) => {
      const headers = { "a2a-version": version };
      const answer = await ask(`${served.url}/a2a`, { headers, body: JSON.stringify(body) });
      if (answer.status === 204) {
        expect([body.id, answer.body]).toEqual([undefined, ""]);
        return;
      }
      expect(answer.status).toBe(200);
      if (answer.json === undefined) return expect(answer.body).toMatch(/^data: /);
      expect(answer.json.jsonrpc).toBe("2.0");
      expect(answer.body).not.toMatch(/\bat .*:\d+:\d+|undefined|TypeError/);
    }),
    { numRuns: 300 },
  );
  for (const { userId } of await served.memory.users())
    expect(userId).toMatch(/^(alice|[0-9a-f]{8}-[0-9a-f-]{27})$/);
});

/** A valid message with some wild fields. */
function wildMessage(): fc.Arbitrary<object> {
  const good = fc.constantFrom(goodMessage("1.0"), goodMessage("0.3"));
  const notText = fc.jsonValue().filter((value) => typeof value !== "string");
  const fields = fc.record(
    {
      contextId: notText,
      messageId: fc.jsonValue(),
      role: fc.jsonValue(),
      parts: fc.oneof(fc.jsonValue(), fc.array(fc.record({ text: fc.jsonValue() }))),
      taskId: fc.jsonValue(),
      metadata: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  return fc.tuple(good, fields).map(([message, wild]) => ({ ...message, ...wild }));
}
