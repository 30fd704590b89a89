import { expect, test } from "vitest";
import { userMessage } from "../../../src/messages.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";
import { Gate } from "../../agent/support.js";
import { ask, eventually } from "../support.js";
import { byKey, listener, type ServedV1, serveV1 } from "./support.js";

/** The answer to a body, sent with somebody's key if there is one. */
const create = ({ baseURL }: ServedV1, body: object, user?: string) =>
  ask(`${baseURL}/responses`, {
    body: { input: "Hi", ...body },
    headers: user === undefined ? {} : { authorization: `Bearer key-of-${user}` },
  });

const textIn = (json: { output: { content: { text: string }[] }[] }): string[] =>
  json.output.map(({ content }) => content.map(({ text }) => text).join());

test("without a user and a conversation, everybody is a new user", async () => {
  const served = await serveV1();
  const answers = [await create(served, {}), await create(served, {})];
  const users = served.memory.users().map(({ userId }) => userId);
  expect(new Set(users).size).toBe(2);
  expect(users).not.toContain("default");
  for (const { json } of answers) {
    expect(textIn(json)).toEqual(["Heard: Hi"]);
    expect(users).toContain(json.conversation.id);
  }
});

test("a user without a conversation is in the session `default`", async () => {
  const served = await serveV1();
  await create(served, { user: "alice" });
  const { json } = await create(served, { user: "alice", input: "Again" });
  expect(textIn(json)).toEqual(["Heard: Hi, Again"]);
  expect(json.conversation).toEqual({ id: "default" });
});

test("a response of a conversation that is old by now is found, too", async () => {
  const served = await serveV1();
  const { json: first } = await create(served, { user: "alice", conversation: "old" });
  for (let index = 0; index < 1_100; index += 1)
    served.memory.add(userMessage("Hi"), "alice", { sessionId: `new-${index}` });
  const next = { user: "alice", input: "Again", previous_response_id: first.id };
  const { json } = await create(served, next);
  expect(textIn(json)).toEqual(["Heard: Hi, Again"]);
  expect(json.conversation).toEqual({ id: "old" });
});

test("an anonymous conversation needs a user, unless the server has named it", async () => {
  const served = await serveV1();
  const answer = await create(served, { conversation: "work" });
  expect(answer).toMatchObject({ status: 400, json: { error: { param: "user" } } });
  expect(served.memory.users()).toEqual([]);
});

test("only the latest response of a session can be continued, and only by its user", async () => {
  const served = await serveV1(byKey);
  const one = (await create(served, { conversation: "a" }, "alice")).json;
  const two = (await create(served, { previous_response_id: one.id }, "alice")).json;
  await create(served, { conversation: "b" }, "alice");
  await create(served, { conversation: "a" }, "bob");
  expect(two.conversation).toEqual({ id: "a" });

  const older = await create(served, { previous_response_id: one.id }, "alice");
  expect(older).toMatchObject({
    status: 400,
    json: { error: { param: "previous_response_id", type: "invalid_request_error" } },
  });
  const foreign = await create(served, { previous_response_id: two.id }, "bob");
  const unknown = `resp_${"0".repeat(48)}`;
  for (const id of [unknown, `${two.id}${"0".repeat(32)}`, "resp_1", ""]) {
    const { status, body } = await create(served, { previous_response_id: id }, "bob");
    expect({ status, body }).toEqual({ status: 404, body: foreign.body });
  }
  const { json } = await create(served, { previous_response_id: two.id }, "alice");
  expect(textIn(json)).toEqual(["Heard: Hi, Hi, Hi"]);
});

test("a response that was cleared cannot be continued", async () => {
  const served = await serveV1();
  const [a, b] = [{ user: "alice" }, { user: "alice", conversation: "b" }];
  const ids = [(await create(served, a)).json.id, (await create(served, b)).json.id];
  await ask(`${served.url}/history?user_id=alice`, { method: "DELETE" });
  for (const [index, status] of [400, 404].entries()) {
    const body = { user: "alice", previous_response_id: ids[index] };
    expect((await create(served, body)).status).toBe(status);
  }
  expect(served.memory.users()).toEqual([]);
});

test("of two requests that continue the same response at once, one is refused", async () => {
  const gate = new Gate();
  const model = new ScriptedModel(async ({ messages }) => {
    if (messages.length > 1) await gate.opened;
    return "ok";
  });
  const served = await serveV1({ model });
  const first = (await create(served, { user: "alice" })).json;
  const body = { user: "alice", previous_response_id: first.id };
  const both = [create(served, body), create(served, { ...body, stream: true })];
  await eventually(() => model.requests.length === 2);
  gate.open();
  const statuses = (await Promise.all(both)).map(({ status }) => status);
  expect(statuses.sort()).toEqual([200, 400]);
  expect(served.memory.size("alice")).toBe(4);
});

test("the id of a response tells neither its user nor its session", async () => {
  const served = await serveV1();
  const { json } = await create(served, { user: "alice", conversation: "wedding" });
  expect(json.id).toMatch(/^resp_[0-9a-f]{48}$/);
  const again = (await create(served, { user: "alice", conversation: "wedding" })).json;
  expect(again.id.slice(-16)).not.toBe(json.id.slice(-16));
});

test("with authentication, user is the caller's own or absent", async () => {
  const served = await serveV1(byKey);
  for (const field of ["user", "safety_identifier"]) {
    const foreign = await create(served, { [field]: "bob" }, "alice");
    expect(foreign).toMatchObject({ status: 403, json: { error: { type: "permission_error" } } });
    expect((await create(served, { [field]: "alice" }, "alice")).status).toBe(200);
  }
  expect((await create(served, { store: false, user: "bob" }, "alice")).status).toBe(403);
  expect(served.memory.users().map(({ userId }) => userId)).toEqual(["alice"]);
});

test("with authentication, a conversation that the server has named is one of the caller's", async () => {
  const served = await serveV1(byKey);
  const headers = { authorization: "Bearer key-of-alice" };
  const { json } = await ask(`${served.baseURL}/conversations`, { body: {}, headers });
  for (const user of ["alice", "bob"]) {
    const answer = await create(served, { conversation: json.id }, user);
    expect(textIn(answer.json)).toEqual(["Heard: Hi"]);
  }
});

test("instructions are for one run, after those of the agent, and are kept nowhere", async () => {
  const model = listener();
  const served = await serveV1({ model });
  const input = [
    { role: "developer", content: "Rhyme." },
    { role: "user", content: [{ type: "input_text", text: "Hi" }] },
  ];
  await create(served, { user: "alice", instructions: "Be kind.", input });
  await create(served, { user: "alice" });
  expect(model.requests.map(({ messages }) => messages[0])).toMatchObject([
    { role: "system", content: "Be kind.\n\nRhyme." },
    { role: "user", content: "Hi" },
  ]);
});

test("with store false nothing is read or kept, and the input may be a whole chat", async () => {
  const served = await serveV1();
  await create(served, { user: "alice", input: "Secret" });
  const input = [
    { role: "user", content: "One" },
    { role: "assistant", content: [{ type: "output_text", text: "1" }] },
    { type: "message", role: "user", content: "Two" },
  ];
  const { json } = await create(served, { user: "alice", store: false, input });
  expect(textIn(json)).toEqual(["Heard: One, Two"]);
  expect(json).toMatchObject({ conversation: null, store: false });
  expect(served.memory.size("alice")).toBe(2);
  const next = await create(served, { user: "alice", previous_response_id: json.id });
  expect(next.status).toBe(400);
});

test.each<[string, object, string]>([
  [
    "both conversation and previous_response_id",
    { conversation: "a", previous_response_id: "b" },
    "previous_response_id",
  ],
  [
    "several turns",
    {
      input: [
        { role: "user", content: "a" },
        { role: "user", content: "b" },
      ],
    },
    "input",
  ],
  [
    "a chat that ends with the assistant",
    { input: [{ role: "assistant", content: "a" }] },
    "input",
  ],
  ["no input", { input: null }, "input"],
  [
    "an image",
    { input: [{ role: "user", content: [{ type: "input_image" }] }] },
    "input[0].content[0]",
  ],
  ["content that is none", { input: [{ role: "user", content: 5 }] }, "input[0].content"],
  ["no content", { input: [{ role: "user" }] }, "null"],
  ["the result of a tool", { input: [{ type: "function_call_output" }] }, "input[0]"],
  ["an item that is none", { input: ["Hi"] }, "input[0]"],
  ["tools", { tools: [{ type: "web_search" }] }, "tools"],
  ["background", { background: true }, "background"],
  ["a prompt", { prompt: { id: "p" } }, "prompt"],
  ["JSON as the format", { text: { format: { type: "json_object" } } }, "text.format"],
  ["two users", { safety_identifier: "bob" }, "safety_identifier"],
  ["an invalid user", { user: " " }, "user"],
  ["a user that is no text", { user: 5 }, "user"],
  ["an invalid conversation", { conversation: { id: "" } }, "conversation"],
  ["no storing of a conversation", { store: false, conversation: "a" }, "store"],
  ["stream that is no flag", { stream: "yes" }, "stream"],
])("%s is refused, and nothing is kept", async (_, body, param) => {
  const served = await serveV1();
  const { status, json } = await create(served, { user: "alice", ...body });
  expect([status, String(json.error.param)]).toEqual([400, param]);
  expect(served.memory.users()).toEqual([]);
});

test("fields that are null count as left out", async () => {
  const served = await serveV1();
  const none = { conversation: null, previous_response_id: null, tools: null, stream: null };
  const more = { store: null, instructions: null, user: "alice", safety_identifier: null };
  expect((await create(served, { ...none, ...more, prompt: null })).status).toBe(200);
});

test("what the agent says before it calls a tool is a message of its own", async () => {
  const calls = { text: "Let me note that.", toolCalls: [{ name: "recall" }] };
  const model = new ScriptedModel([calls, "Done.", calls, "Done."]);
  const served = await serveV1({ model });
  const whole = await create(served, { user: "alice" });
  expect(textIn(whole.json)).toEqual(["Let me note that.", "Done."]);
  const { body } = await create(served, { user: "alice", stream: true });
  const last = JSON.parse(body.trim().split("\n").at(-1)?.slice("data: ".length) ?? "");
  expect(textIn(last.response)).toEqual(["Let me note that.", "Done."]);
  expect(body).not.toContain("recall");
});

test("a reply that was cut is incomplete", async () => {
  const cut = { text: "Well", reason: "length" } as const;
  const served = await serveV1({ model: new ScriptedModel(() => cut) });
  const whole = (await create(served, { user: "alice" })).json;
  expect(whole).toMatchObject({
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    output: [{ status: "incomplete" }],
  });
  const { body } = await create(served, { user: "alice", stream: true });
  expect(body).toContain("event: response.incomplete\n");
});

test("a run that fails before its first word is answered with a status, streamed or not", async () => {
  const served = await serveV1({ model: new ScriptedModel(() => new Error("secret")) });
  for (const stream of [false, true]) {
    const { status, json } = await create(served, { user: "alice", stream });
    expect(status).toBe(502);
    expect(json.error).toMatchObject({ type: "server_error", code: "model_bad_response" });
    expect(json.error.message).not.toContain("secret");
  }
});

test("a client that hangs up stops the run", async () => {
  const asked = new Gate();
  const stopped = new Gate();
  const model = new ScriptedModel(async (_, { signal }) => {
    signal.addEventListener("abort", stopped.open);
    asked.open();
    await stopped.opened;
    return "late";
  });
  const { baseURL } = await serveV1({ model });
  const leave = new AbortController();
  const body = JSON.stringify({ input: "Hi", user: "alice", stream: true });
  const headers = { "content-type": "application/json" };
  const { signal } = leave;
  const left = fetch(`${baseURL}/responses`, { method: "POST", headers, body, signal });
  await asked.opened;
  leave.abort();
  await expect(left).rejects.toThrow();
  await stopped.opened;
});

test("a conversation is created empty, and only so", async () => {
  const { baseURL, memory } = await serveV1();
  const url = `${baseURL}/conversations`;
  const [one, two] = [await ask(url, { body: {} }), await ask(url, { body: { items: [] } })];
  expect(one.json).toMatchObject({ object: "conversation", metadata: {} });
  expect(one.json.id).not.toBe(two.json.id);
  const filled = await ask(url, { body: { items: [{ role: "user", content: "Hi" }] } });
  expect(filled).toMatchObject({ status: 400, json: { error: { param: "items" } } });
  expect(memory.users()).toEqual([]);
});
