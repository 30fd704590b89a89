import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { GetMessagesOptions } from "../../src/memory/memory.js";
import { userMessage } from "../../src/messages.js";
import type { Model } from "../../src/models/model.js";
import { createServer, type FetchInfo, type ServerOptions } from "../../src/server/index.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { Gate } from "../agent/support.js";
import { cleanUp, echo, eventually, halting, serve } from "./support.js";

const HERE = { address: "127.0.0.1" };
const JSON_TYPE = { "content-type": "application/json" };

interface OpenOptions extends Partial<ServerOptions> {
  readonly model?: Model;
  readonly memory?: InMemory;
}

/** A server that listens nowhere. */
function open({ model = echo(), memory = new InMemory(), ...options }: OpenOptions = {}) {
  const log: Record<string, unknown>[] = [];
  const agent = new Agent({ model, memory });
  const server = createServer({ agent, log: (line) => log.push(JSON.parse(line)), ...options });
  cleanUp(() => server.close({ now: true }));
  return { server, memory, log };
}

type Body = string | ReadableStream;

const post = (body: Body, { path = "/chat", ...init }: RequestInit & { path?: string } = {}) =>
  new Request(`http://localhost${path}`, {
    method: "POST",
    body,
    headers: JSON_TYPE,
    duplex: "half",
    ...init,
  } as RequestInit);

const say = (userId: string, message = "Hi") => JSON.stringify({ user_id: userId, message });

const streaming = { headers: { ...JSON_TYPE, accept: "text/event-stream" } };

const a2a = (method: string, params: object = {}) => ({
  path: "/a2a",
  method: "POST",
  headers: { ...JSON_TYPE, "a2a-version": "1.0" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
});

const message = { messageId: "m", contextId: "alice", role: "ROLE_USER", parts: [{ text: "Hi" }] };

const asked: (RequestInit & { path: string })[] = [
  { path: "/chat", method: "POST", headers: JSON_TYPE, body: say("alice") },
  { path: "/chat", method: "POST", ...streaming, body: say("alice") },
  { path: "/chat", method: "POST", headers: JSON_TYPE, body: "{" },
  { path: "/chat", method: "POST", headers: JSON_TYPE },
  { path: "/chat", method: "POST", headers: { "content-type": "text/plain" }, body: "Hi" },
  { path: "/chat", method: "GET" },
  { path: "/history?user_id=alice" },
  { path: "/history?user_id=alice&user_id=bob" },
  { path: "/history?user_id=", method: "DELETE" },
  { path: "/history", method: "PUT", body: "{}" },
  { path: "/size/?user_id=alice" },
  { path: "/size?user_id=alice", method: "HEAD" },
  { path: "/size?user_id=alice", headers: { origin: "http://evil.example" } },
  { path: "/export?user_id=alice" },
  { path: "/export?user_id=alice", method: "HEAD" },
  a2a("SendMessage", { message }),
  a2a("SendStreamingMessage", { message }),
  a2a("SendMessage", {}),
  a2a("Nothing"),
  { path: "/.well-known/agent-card.json" },
  { path: "/healthz" },
  { path: "/readyz", method: "OPTIONS" },
  { path: "/nothing" },
];

/** What every answer of a kind has in common. */
async function shapeOf(response: Response) {
  const body = (await response.text())
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, "(id)")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "(time)");
  const { status, headers } = response;
  const named = ["content-type", "content-length", "cache-control", "allow", "etag", "vary"];
  return { status, body, headers: named.map((name) => [name, headers.get(name)]) };
}

test.each(asked)("%j is answered as over the network", async ({ path, ...init }) => {
  const { url, server } = await serve();
  await fetch(`${url}/chat`, { method: "POST", headers: JSON_TYPE, body: say("alice") });
  const here = await server.fetch(new Request(url + path, init), HERE);
  // Both runs are of one user, so the sessions are as long for both.
  const deleted = await serve();
  await fetch(`${deleted.url}/chat`, { method: "POST", headers: JSON_TYPE, body: say("alice") });
  const host = new URL(url).host;
  const there = await shapeOf(await fetch(deleted.url + path, init));
  const otherHost = new URL(deleted.url).host;
  const [{ headers, ...one }, { headers: others, ...other }] = [await shapeOf(here), there];
  expect(one.body.replaceAll(host, "(host)")).toBe(other.body.replaceAll(otherHost, "(host)"));
  expect(one.status).toBe(other.status);
  // The card names the host.
  if (!path.includes("agent-card")) expect(headers).toEqual(others);
});

/** Reads from a stream until it has seen the words. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, words: string) {
  let text = "";
  while (!text.includes(words)) {
    const { value, done } = await reader.read();
    expect(done, text).toBe(false);
    text += Buffer.from(value ?? []).toString();
  }
}

const readerOf = ({ body }: Response) =>
  (body as ReadableStream<Uint8Array>).getReader() as ReadableStreamDefaultReader<Uint8Array>;

test("a stream is read as it is produced", async () => {
  const gate = new Gate();
  const { server, log } = open({ model: halting(gate) });
  const response = await server.fetch(post(say("alice"), streaming), HERE);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = readerOf(response);
  await readUntil(reader, '"Hel"');
  gate.open();
  await readUntil(reader, "run-end");
  expect((await reader.read()).done).toBe(true);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ method: "POST", path: "/chat", status: 200 });
});

const waiting = () =>
  new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "too late"));

test.each([
  { init: {}, status: 499 },
  { init: streaming, status: 200 }, // The stream had begun.
])("aborting the signal of a request stops its run: $init", async ({ init, status }) => {
  const model = waiting();
  const { server, memory, log } = open({ model });
  const client = new AbortController();
  const response = server.fetch(post(say("alice"), { ...init, signal: client.signal }), HERE);
  await eventually(() => model.requests.length === 1);
  client.abort();
  expect((await response).status).toBe(status);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 499, code: "CANCELLED" });
  expect(memory.users()).toEqual([]);
});

test("a request that was aborted before starts no run", async () => {
  const model = echo();
  const { server, log } = open({ model });
  await server.fetch(post(say("alice"), { signal: AbortSignal.abort() }), HERE);
  expect(log).toMatchObject([{ status: 499 }]);
  expect(model.requests).toHaveLength(0);
});

test("cancelling the body of a response stops the run", async () => {
  const { server, memory, log } = open({ model: halting(new Gate()) });
  const reader = readerOf(await server.fetch(post(say("alice"), streaming), HERE));
  await readUntil(reader, '"Hel"');
  await reader.cancel();
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 499, code: "CANCELLED" });
  expect(memory.getMessages("alice")).toMatchObject([{}, { content: "Hel", interrupted: true }]);
});

test("a client that reads nothing of a long answer is cut off, and its run stored", async () => {
  const model = new ScriptedModel(() => ({ text: Array(4).fill("x".repeat(20_000)) }));
  const { server, memory, log } = open({ model, timeouts: { reader: 50 } });
  const response = await server.fetch(post(say("alice"), streaming), HERE);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 499 });
  await expect(response.text()).rejects.toThrow("cut off");
  expect(memory.size("alice")).toBe(2);
});

test("a silent stream is kept open with a comment every 15 seconds", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  cleanUp(() => vi.useRealTimers());
  const model = waiting();
  const { server } = open({ model });
  const before = vi.getTimerCount();
  const answered = server.fetch(post(say("alice"), streaming), HERE);
  const waitingBehind = server.fetch(post(say("alice"), streaming), HERE);
  await eventually(() => vi.getTimerCount() === before + 2);
  vi.advanceTimersByTime(15_000);
  for (const response of [await answered, await waitingBehind]) {
    const reader = readerOf(response);
    await readUntil(reader, ":\n\n");
    await reader.cancel();
  }
  await eventually(() => vi.getTimerCount() === before);
});

test("an export reads no more than its client does", async () => {
  let reads = 0;
  class CountingMemory extends InMemory {
    override getMessages(userId?: string, options?: GetMessagesOptions) {
      reads += 1;
      return super.getMessages(userId, options);
    }
  }
  const memory = new CountingMemory();
  for (let added = 0; added < 20_000; added += 500)
    memory.add(Array(500).fill(userMessage("So many words. ".repeat(10))), "alice");
  const { server, log } = open({ memory, timeouts: { reader: 50 } });
  const response = await server.fetch(new Request("http://localhost/export?user_id=alice"), HERE);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ path: "/export", status: 499, code: "CANCELLED" });
  expect(reads).toBeLessThan(20);
  await expect(response.text()).rejects.toThrow("cut off");
});

test("a slow reader gets everything", async () => {
  const model = new ScriptedModel(() => ({ text: Array(40).fill("x".repeat(10_000)) }));
  const { server } = open({ model });
  const response = await server.fetch(post(say("alice"), streaming), HERE);
  const reader = readerOf(response);
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    await new Promise(setImmediate);
  }
  expect(length).toBeGreaterThan(400_000);
});

/** A body sent in chunks, without its length. */
function sent(chunks: Iterable<string>) {
  const all = chunks[Symbol.iterator]();
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = all.next();
      if (done) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
    cancel() {
      isCancelled = true;
    },
  });
  return { stream, isCancelled: () => isCancelled };
}

const MiB = 1024 * 1024;

test("a body in chunks of 1 MiB in all is accepted, and one byte more is 413", async () => {
  const { server } = open();
  const rest = MiB - say("a", "").length;
  const chunks = (bytes: number) => {
    const text = say("a", "x".repeat(bytes));
    return Array.from({ length: Math.ceil(text.length / 1000) }, (_, index) =>
      text.slice(index * 1000, (index + 1) * 1000),
    );
  };
  expect((await server.fetch(post(sent(chunks(rest)).stream), HERE)).status).toBe(200);
  const refused = await server.fetch(post(sent(chunks(rest + 1)).stream), HERE);
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({ code: "TOO_LARGE" });
});

test("a body without end is refused and read no further", async () => {
  const { server } = open();
  let chunks = 0;
  const { stream, isCancelled } = sent({
    *[Symbol.iterator]() {
      for (; ; chunks++) yield "x".repeat(100_000);
    },
  });
  expect((await server.fetch(post(stream), HERE)).status).toBe(413);
  expect(isCancelled()).toBe(true);
  expect(chunks).toBeLessThan(200);
});

test("a body that does not arrive in time is 408", async () => {
  const { server } = open({ timeouts: { body: 20 } });
  const stalled = new ReadableStream({ start: (it) => it.enqueue(new TextEncoder().encode("{")) });
  const response = await server.fetch(post(stalled), HERE);
  expect(response.status).toBe(408);
  expect(await response.json()).toMatchObject({ code: "REQUEST_TIMEOUT" });
});

test("a body whose sender breaks off is a hang-up", async () => {
  const { server, memory } = open();
  const broken = new ReadableStream({ start: (it) => it.error(new Error("reset")) });
  expect((await server.fetch(post(broken), HERE)).status).toBe(499);
  expect(memory.users()).toEqual([]);
});

test.each([
  { what: "was read before", read: (request: Request): unknown => request.text() },
  { what: "is being read", read: (request: Request): unknown => request.body?.getReader() },
])("a body that $what is one clear server error", async ({ read }) => {
  const { server, log } = open({
    authenticate: async ({ raw }) => {
      if (raw instanceof Request) await read(raw);
      return { userId: "alice" };
    },
  });
  expect((await server.fetch(post(say("alice")))).status).toBe(500);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ code: "CONFIG_INVALID", fault: expect.stringMatching(/read/) });
});

test("an anonymous caller must be known to be on this machine", async () => {
  const { server } = open();
  const statusFrom = async (address?: string) =>
    (await server.fetch(new Request("http://localhost/size?user_id=a"), { address })).status;
  expect(await statusFrom("127.0.0.1")).toBe(200);
  expect(await statusFrom("::1")).toBe(200);
  for (const address of [undefined, "", "203.0.113.7", "localhost.evil.example"])
    expect(await statusFrom(address)).toBe(403);
  const anyone = open({ allowAnonymous: true }).server;
  expect((await anyone.fetch(new Request("http://localhost/size?user_id=a"))).status).toBe(200);
  const rebound = new Request("http://evil.example/size?user_id=a");
  expect((await anyone.fetch(rebound)).status).toBe(403);
});

test("what a host passes beside a request is no address unless it says so", async () => {
  const { server } = open();
  const ofBun = { address: { address: "127.0.0.1", family: "IPv4", port: 80 } };
  const ofDeno = { remoteAddr: { hostname: "127.0.0.1" } };
  const ofWorkers = { ADDRESS: "127.0.0.1" };
  for (const passed of [ofBun, ofDeno, ofWorkers] as unknown as FetchInfo[]) {
    const answer = await server.fetch(new Request("http://localhost/size?user_id=a"), passed);
    expect([answer.status, await answer.json()]).toEqual([
      403,
      {
        error:
          "This server accepts only requests from its own machine. " +
          "Give fetch the address of the client, or authenticate it.",
        code: "FORBIDDEN",
      },
    ]);
  }
});

test("the host of the URL counts, not the header", async () => {
  const { server } = open();
  const headers = { host: "localhost" };
  const request = new Request("http://evil.example/size?user_id=a", { headers });
  expect((await server.fetch(request, HERE)).status).toBe(403);
});

test("closing lets current requests end and refuses new ones", async () => {
  const gate = new Gate();
  const { server } = open({ model: halting(gate) });
  const current = server.fetch(post(say("alice")), HERE);
  await new Promise(setImmediate);
  const closed = server.close();
  const refused = await server.fetch(post(say("bob")), HERE);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  gate.open();
  expect((await current).status).toBe(200);
  await closed;
});

test("refuses a method that is the name of something else", async () => {
  const { server } = open();
  for (const method of ["constructor", "toString", "__proto__"]) {
    const answer = await server.fetch(new Request("http://localhost/chat", { method }), HERE);
    expect(answer.status).toBe(405);
    expect(await answer.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
  }
});
