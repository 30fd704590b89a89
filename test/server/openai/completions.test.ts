import { expect, test } from "vitest";
import { Agent } from "../../../src/agent/agent.js";
import { InMemory } from "../../../src/memory/in-memory.js";
import { createServer, type ServerOptions } from "../../../src/server/index.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";
import { defineTool } from "../../../src/tools/define-tool.js";
import { notes } from "../../../src/tools/notes.js";
import { Gate } from "../../agent/support.js";
import { ask, cleanUp } from "../support.js";
import { byKey, listener, overlapping, type ServedV1, serveV1, TWENTY } from "./support.js";

async function baseUrlOf(agent: Agent, access: Pick<ServerOptions, "authenticate"> = {}) {
  const server = createServer({ ...access, agent });
  cleanUp(() => server.close({ now: true }));
  return `${await server.listen({ port: 0 })}/v1`;
}

const USER = { role: "user", content: "Hi" };

const complete = ({ baseURL }: Pick<ServedV1, "baseURL">, body: object, user?: string) =>
  ask(`${baseURL}/chat/completions`, {
    body: { messages: [USER], ...body },
    headers: user === undefined ? {} : { authorization: `Bearer key-of-${user}` },
  });

test("the messages are all that the model is sent, after the instructions of the agent", async () => {
  const model = listener();
  const memory = new InMemory();
  const baseURL = await baseUrlOf(new Agent({ model, memory, instructions: "Be brief." }));
  await memory.add([USER] as never, "alice");
  const messages = [
    { role: "system", content: "Rhyme." },
    { role: "user", content: "One" },
    { role: "assistant", content: null },
    {
      role: "user",
      content: [
        { type: "text", text: "Two" },
        { type: "text", text: "Three" },
      ],
    },
  ];
  await complete({ baseURL }, { messages, user: "alice" });
  expect(model.requests[0]?.messages).toMatchObject([
    { role: "system", content: "Be brief.\n\nRhyme." },
    { role: "user", content: "One\n\nTwo\nThree" },
  ]);
  expect(memory.users()).toMatchObject([{ userId: "alice", messages: 1 }]);
});

test("the agent's tools are called for the authenticated user, without those that keep notes", async () => {
  const users: string[] = [];
  const whoami = defineTool({
    name: "whoami",
    description: "Names the user.",
    parameters: { type: "object" },
    execute: (_, { userId }) => void users.push(userId),
  });
  const model = new ScriptedModel(({ messages }) =>
    messages.at(-1)?.role === "tool" ? "Done." : { toolCalls: [{ name: "whoami" }] },
  );
  const memory = new InMemory();
  const toolkits = [notes(), { name: "kit", tools: [whoami] }];
  const agent = new Agent({ model, memory, toolkits });
  for (const access of [byKey, {}]) {
    const baseURL = await baseUrlOf(agent, access);
    const { json } = await complete({ baseURL }, { user: "bob" }, "alice");
    expect(json.choices[0].message.content).toBe("Done.");
  }
  expect(users).toEqual(["alice", expect.stringMatching(/^conv_/)]);
  expect(model.requests[0]?.tools?.map(({ name }) => name)).toEqual(["whoami"]);
  expect(memory.users()).toEqual([]);
});

test("two chats at once know nothing of each other", async () => {
  const served = await serveV1({ model: overlapping(TWENTY.length) });
  const replies = await Promise.all(
    TWENTY.map(async (userId) => {
      const messages = [{ role: "user", content: `I am ${userId}` }];
      const { json } = await complete(served, { messages, user: "same" });
      return json.choices[0].message.content;
    }),
  );
  expect(replies).toEqual(TWENTY.map((userId) => `Heard: I am ${userId}`));
});

const PICTURES_REFUSED = [
  ["a picture that would have to be fetched", "user", "https://example.com/cat.png"],
  ["a picture of the server", "user", "file:///etc/passwd"],
  ["a picture without an address", "user", undefined],
  ["a text in the place of a picture", "user", `data:image/png;base64,${btoa("Hello")}`],
  ["a picture that is no Base64", "user", "data:image/png;base64,%"],
  ["a picture of the assistant", "assistant", "data:image/png;base64,AA=="],
] as const;

test.each<[string, object, string]>([
  ["tools", { tools: [{ type: "function" }] }, "tools"],
  ["functions", { functions: [{ name: "f" }] }, "tools"],
  ["several answers", { n: 2 }, "n"],
  ["JSON as the format", { response_format: { type: "json_object" } }, "response_format"],
  ["probabilities", { logprobs: true }, "logprobs"],
  ["no messages", { messages: undefined }, "messages"],
  ["a chat without a user", { messages: [{ role: "system", content: "Hi" }] }, "messages"],
  [
    "a call of a tool",
    { messages: [{ role: "assistant", tool_calls: [{}] }, USER] },
    "messages[0]",
  ],
  ["the result of a tool", { messages: [{ role: "tool", content: "1" }, USER] }, "messages[0]"],
  ...PICTURES_REFUSED.map(([what, role, url]): [string, object, string] => [
    what,
    { messages: [{ role, content: [{ type: "image_url", image_url: { url } }] }, USER] },
    "messages[0].content[0]",
  ]),
])("%s is refused", async (_, body, param) => {
  const { status, json } = await complete(await serveV1(), body);
  expect([status, json.error.param]).toEqual([400, param]);
});

test("what the client cannot know the agent's settings for is ignored", async () => {
  const served = await serveV1();
  const settings = { model: "gpt-5", temperature: 0, max_tokens: 5, tools: [], n: 1, stop: null };
  const more = { response_format: { type: "text" }, stream_options: null };
  const { json } = await complete(served, { ...settings, ...more });
  expect(json).toMatchObject({ model: "agno-chat", choices: [{ finish_reason: "stop" }] });
});

test("a reply that was cut says so", async () => {
  const model = new ScriptedModel(() => ({ text: "Well", reason: "length" }));
  const { json } = await complete(await serveV1({ model }), {});
  expect(json.choices[0].finish_reason).toBe("length");
  expect(json).not.toHaveProperty("usage");
});

test("every refusal under /v1 has the shape that clients of OpenAI know", async () => {
  const served = await serveV1(byKey);
  const authorization = "Bearer key-of-alice";
  const headers = { authorization };
  const tooLong = JSON.stringify({ messages: [{ ...USER, content: "x".repeat(2 ** 20) }] });
  const refusals: [number, string, Parameters<typeof ask>[1]][] = [
    [401, "/responses", { body: {} }],
    [401, "/nothing", { method: "GET" }],
    [404, "/nothing", { method: "GET", headers }],
    [405, "/models", { body: {}, headers }],
    [400, "/responses", { body: "{", headers }],
    [413, "/chat/completions", { body: tooLong, headers }],
    [415, "/responses", { body: "{}", headers: { ...headers, "content-type": "text/plain" } }],
  ];
  for (const [status, path, options] of refusals) {
    const answer = await ask(served.baseURL + path, options);
    expect([path, answer.status]).toEqual([path, status]);
    const { message, type, code, ...rest } = answer.json.error;
    expect([typeof message, typeof type, typeof code]).toEqual(["string", "string", "string"]);
    expect(Object.keys(rest)).toEqual(["param"]);
  }
});

test("a session that is busy is refused in that shape, with when to come again", async () => {
  const asked = new Gate();
  const model = new ScriptedModel(() => {
    asked.open();
    return new Promise(() => {});
  });
  const baseURL = await baseUrlOf(new Agent({ model, onBusy: "reject" }));
  const say = () => ask(`${baseURL}/responses`, { body: { input: "Hi", user: "alice" } });
  void say().catch(() => {});
  await asked.opened;
  const { status, headers, json } = await say();
  expect([status, headers["retry-after"]]).toEqual([429, "1"]);
  expect(json.error).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
});
