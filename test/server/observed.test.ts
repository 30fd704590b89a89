import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { auditLine } from "../../src/cli/serve/audit-line.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { RequestRecord } from "../../src/server/index.js";
import { Gate } from "../agent/support.js";
import { ModelServer } from "../support/model-server.js";
import {
  ask,
  Command,
  chat,
  cleanUp,
  eventually,
  get,
  lateText,
  serve,
  temporaryFolder,
  Wire,
} from "./support.js";

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const AUDITED = ["serve", "--port", "0", "--model", "demo", "--store", "memory:", "--audit"];

test("the audit says who asked, read, exported, cleared and was refused, from where", async () => {
  const file = path.join(temporaryFolder(), "audit.log");
  const command = new Command(temporaryFolder(), [...AUDITED, file]);
  const url = await command.url();
  await chat({ url }, "alice", "The combination is 4711");
  const accept = { accept: "text/event-stream" };
  const body = { user_id: "alice", message: "The combination is 4711" };
  const streamed = await ask(`${url}/chat`, { headers: accept, body });
  await get(`${url}/history?user_id=bob`);
  await get(`${url}/size?user_id=bob`);
  await get(`${url}/export?user_id=alice`);
  await ask(`${url}/history?user_id=alice`, { method: "DELETE" });
  await get(`${url}/size?user_id=alice`, { origin: "http://evil.example" });
  for (const open of ["healthz", "readyz", "openapi.json", "nothing"]) await get(`${url}/${open}`);
  await eventually(() => linesOf(file).length >= 7);
  const lines = linesOf(file);
  expect(lines.map(({ action, user, status }) => [action, user, status])).toEqual([
    ["asked", "alice", 200],
    ["asked", "alice", 200],
    ["read", "bob", 200],
    ["read", "bob", 200],
    ["exported", "alice", 200],
    ["cleared", "alice", 200],
    ["refused", undefined, 403],
  ]);
  expect(lines.every(({ from }) => from === "127.0.0.1")).toBe(true);
  expect(lines[0]?.run).toMatch(/^[\da-f-]{36}$/);
  expect(streamed.body).toContain(String(lines[1]?.run));
  expect(readFileSync(file, "utf8")).not.toContain("4711");
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("the audit has the address that a trusted proxy names, and no other", async () => {
  const records: unknown[] = [];
  const { url } = await serve({
    authenticate: () => null,
    trustedProxies: ["127.0.0.1"],
    record: ({ address, code }) => void records.push([address, code]),
  });
  await get(`${url}/size`, { "x-forwarded-for": "6.6.6.6, 203.0.113.9" });
  expect(records).toEqual([["203.0.113.9", "UNAUTHENTICATED"]]);
});

test("the audit has the id of the token that let somebody in, and never the token", async () => {
  const memory = new InMemory();
  const { tokens } = memory;
  if (tokens === undefined) throw new Error("InMemory keeps no tokens.");
  const { token, tokenId } = await tokens.create("alice");
  const records: RequestRecord[] = [];
  const { url } = await serve({
    memory,
    tokens,
    record: (record) => void records.push(record),
  });
  const authorization = `Bearer ${token}`;
  await ask(`${url}/chat`, { headers: { authorization }, body: { message: "Hi" } });
  for (let guess = 0; guess < 21; guess++)
    await get(`${url}/size`, { authorization: `Bearer ${token.slice(0, -4)}0000` });
  const lines = records.map((record) => JSON.parse(auditLine(record) ?? "{}"));
  expect(lines[0]).toMatchObject({ action: "asked", user: "alice", token: tokenId });
  expect(lines[1]).toMatchObject({ action: "refused", status: 401, code: "UNAUTHENTICATED" });
  expect(lines.at(-1)).toMatchObject({ action: "refused", status: 429 });
  expect(lines.slice(1).every(({ user, token }) => (user ?? token) === undefined)).toBe(true);
  expect(JSON.stringify(lines)).not.toContain(token.slice(-20, -4));
});

test("a record names the user of a token even if the request was no good", async () => {
  const records: unknown[] = [];
  const { url } = await serve({
    authenticate: () => ({ userId: "alice" }),
    record: ({ userId, status, code }) => void records.push([userId, status, code]),
  });
  await ask(`${url}/chat`, { body: "{" });
  await get(`${url}/size?user_id=bob`);
  expect(records).toEqual([
    ["alice", 400, expect.any(String)],
    ["alice", 403, "FORBIDDEN"],
  ]);
});

test("the record of a request under way is not lost when TERM ends the server", async () => {
  const gate = new Gate();
  const model = await ModelServer.start(lateText("in time", gate));
  cleanUp(() => model.close());
  const file = path.join(temporaryFolder(), "audit.log");
  const real = ["--base-url", model.url, "--model", "test-model", "--audit", file];
  const command = new Command(temporaryFolder(), ["serve", "--port", "0", ...real]);
  const url = await command.url();
  const arrived = model.nextRequest();
  const asked = chat({ url }, "alice", "Hi");
  await arrived;
  command.child.kill("SIGTERM");
  await command.line(/Finishing/);
  gate.open();
  expect((await asked).status).toBe(200);
  expect(await command.ended).toBe(143);
  expect(linesOf(file)).toMatchObject([{ action: "asked", user: "alice", status: 200 }]);
});

const METERED = ["serve", "--port", "0", "--model", "demo", "--metrics"];

test("/metrics counts requests, runs, tokens and tools, without users, on its own port", async () => {
  const command = new Command(temporaryFolder(), [
    ...[...METERED, "127.0.0.1:0", "--tools", "calculator"],
  ]);
  const url = await command.url();
  const metrics = /http:\S+\/metrics/.exec(await command.line(/Metrics at/))?.[0] as string;
  await chat({ url }, "alice-secret", "What is 6 * 7?");
  await get(`${url}/size?user_id=alice-secret`, { origin: "http://evil.example" });
  const { status, body, headers } = await get(metrics);
  expect(status).toBe(200);
  expect(headers["content-type"]).toContain("version=0.0.4");
  for (const line of [
    'agno_chat_requests_total{method="POST",route="/chat",status="200"} 1',
    'agno_chat_refusals_total{code="FORBIDDEN"} 1',
    'agno_chat_runs_total{outcome="ok"} 1',
    "agno_chat_run_duration_seconds_count 1",
    'agno_chat_model_calls_total{model="demo",outcome="ok"} 2',
    'agno_chat_tool_calls_total{tool="calculate",outcome="ok"} 1',
    "agno_chat_requests_in_flight 0",
  ])
    expect(body.split("\n")).toContain(line);
  expect(body).toMatch(/agno_chat_tokens_total\{model="demo",direction="output"\} [1-9]/);
  expect(body).toContain("nodejs_eventloop_lag_seconds");
  expect(body).not.toContain("secret");
  expect((await get(`${url}/metrics`)).status).toBe(404);
  expect((await get(metrics.replace("/metrics", "/"))).status).toBe(404);
});

test("/metrics counts failures of the model by their code, and requests in flight", async () => {
  const model = await ModelServer.start((response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end('{"error":{"message":"no","code":"invalid_api_key"}}');
  });
  cleanUp(() => model.close());
  const real = ["--base-url", model.url, "--model", "test-model", "--metrics", "127.0.0.1:0"];
  const command = new Command(temporaryFolder(), ["serve", "--port", "0", ...real]);
  const url = await command.url();
  const metrics = /http:\S+\/metrics/.exec(await command.line(/Metrics at/))?.[0] as string;
  const wire = await Wire.open(Number(new URL(url).port));
  wire.socket.write("POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
  expect((await chat({ url }, "alice", "Hi")).status).toBe(500);
  const { body } = await get(metrics);
  expect(body).toContain('agno_chat_runs_total{outcome="MODEL_AUTH"} 1');
  expect(body).toContain('agno_chat_model_calls_total{model="test-model",outcome="MODEL_AUTH"} 1');
  expect(body).toContain("agno_chat_requests_in_flight 1");
});

test.each([
  ["no address", "9464", "is not an address"],
  ["a port beyond the last", "127.0.0.1:65536", "is not an address"],
])("--metrics refuses %s", async (_, address, words) => {
  const command = new Command(temporaryFolder(), [...METERED, address]);
  expect(await command.line(/agno-chat: /)).toContain(words);
  expect(await command.ended).toBe(2);
});

test("a taken address of --metrics ends serve, and so does a taken port of serve with it", async () => {
  const { port } = await serve();
  const taken = new Command(temporaryFolder(), [...METERED, `127.0.0.1:${port}`]);
  expect(await taken.line(/agno-chat: /)).toContain(`Port ${port}`);
  expect(await taken.ended).toBe(4);
  const main = ["serve", "--port", String(port), "--metrics", "127.0.0.1:0"];
  const second = new Command(temporaryFolder(), main);
  expect(await second.line(/agno-chat: /)).toContain(`Port ${port}`);
  expect(await second.ended).toBe(4);
});
