import { afterEach, expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { DEFAULT_SESSION_ID, validateUserId } from "../../src/ids.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { OpenAIModel } from "../../src/models/openai.js";
import type { Finding } from "../../src/verify/finding.js";
import { Gate } from "../../src/verify/gate.js";
import { Ledger } from "../../src/verify/ledger.js";
import { Random } from "../../src/verify/random.js";
import { Recorder } from "../../src/verify/recorder.js";
import { openUpstream, type Upstream } from "../../src/verify/upstream.js";

const opened: Upstream[] = [];
afterEach(async () => {
  for (const upstream of opened.splice(0)) await upstream.close();
});

async function start() {
  const random = new Random(1);
  const ledger = new Ledger(random);
  const findings: Finding[] = [];
  const report = (found: readonly Finding[]) => void findings.push(...found);
  const recorder = new Recorder({ ledger, gate: new Gate(random), report, exact: false });
  const answer = recorder.receive.bind(recorder);
  const upstream = await openUpstream({ host: "127.0.0.1", port: 0, answer });
  opened.push(upstream);
  return { ledger, findings, recorder, upstream };
}

const alice = { userId: validateUserId("alice"), sessionId: DEFAULT_SESSION_ID };

const post = (url: string, body: string) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });

test("serves our own model adapter, with usage, and judges what it sends", async () => {
  const { ledger, findings, recorder, upstream } = await start();
  const model = new OpenAIModel({ model: "verify", baseUrl: upstream.url, apiKey: "none" });
  const agent = new Agent({ model, memory: new InMemory() });
  for (let count = 0; count < 2; count++) {
    const run = ledger.begin(alice, { door: "agent.run" });
    const result = await agent.run(run.text, alice);
    expect(result.content).toBe(run.messages.at(-1)?.content);
    expect(result.usage?.inputTokens).toBeGreaterThan(0);
  }
  expect({ findings, requests: recorder.requests }).toEqual({ findings: [], requests: 2 });
});

test("shows that another user's text was sent, in parts, and without /v1", async () => {
  const { ledger, findings, upstream } = await start();
  const other = ledger.begin({ ...alice, userId: validateUserId("bob") }, { door: "app" });
  const own = ledger.begin(alice, { door: "app" });
  const messages = [
    { role: "developer", content: [{ type: "text", text: other.text }] },
    { role: "user", content: [{ type: "text", text: own.text }] },
  ];
  const url = upstream.url.replace("/v1", "");
  const response = await post(`${url}/chat/completions`, JSON.stringify({ messages }));
  const body = (await response.json()) as { choices: { message: { content: string } }[] };
  expect(body.choices[0]?.message.content).toBe(own.messages.at(-1)?.content);
  expect(findings).toMatchObject([{ kind: "foreign", of: { userId: "bob" }, by: alice }]);
});

test.each([
  ["no JSON", "{"],
  ["a list", "[]"],
  ["no messages", "{}"],
  ["an empty list", '{"messages":[]}'],
  ["a message without a role", '{"messages":[{"content":"x"}]}'],
  ["a message that is a number", '{"messages":[7]}'],
])("refuses %s in OpenAI's format, and goes on", async (_, body) => {
  const { upstream, recorder } = await start();
  const response = await post(`${upstream.url}/chat/completions`, body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  expect((await fetch(`${upstream.url}/models`)).status).toBe(200);
  expect(recorder.requests).toBe(0);
});

test("names the address when it is taken", async () => {
  const { upstream } = await start();
  const answer = () => Promise.reject(new Error("unused"));
  const port = Number(new URL(upstream.url).port);
  await expect(openUpstream({ host: "127.0.0.1", port, answer })).rejects.toThrow(
    `Could not listen on 127.0.0.1:${port}`,
  );
});
