import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createServer, type ServerOptions } from "../../src/server/index.js";
import { ask, chat, eventually, get, rawChat, serve, Wire } from "./support.js";

const CARD = "/.well-known/agent-card.json";

test.each([
  "/healthz",
  "/readyz",
  CARD,
  "/size?user_id=alice",
  "/history?user_id=alice",
  "/export?user_id=alice",
])("HEAD %s is answered as GET, without its body", async (path) => {
  const served = await serve();
  await chat(served, "alice", "Hi");
  const full = await get(served.url + path);
  const { status, headers, body } = await ask(served.url + path, { method: "HEAD" });
  expect({ status, body }).toEqual({ status: 200, body: "" });
  for (const name of ["content-type", "content-length", "cache-control", "etag"])
    expect(headers[name]).toBe(full.headers[name]);
});

test("HEAD is refused where GET is", async () => {
  const { url } = await serve();
  const answer = await ask(`${url}/chat`, { method: "HEAD" });
  expect(answer).toMatchObject({ status: 405, headers: { allow: "POST" } });
});

async function answerTo(port: number, request: string): Promise<string> {
  const wire = await Wire.open(port);
  wire.socket.write(request);
  await wire.until(/\r\n\r\n/);
  return wire.received;
}

test("a whole URL as the target is parsed, and its host wins over the header", async () => {
  const { port } = await serve();
  const asking = (target: string, host: string) =>
    answerTo(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(await asking("http://localhost/size?user_id=a", "localhost")).toMatch(/^HTTP\/1.1 200/);
  expect(await asking("HTTP://127.0.0.1:80/healthz", "evil.example")).toMatch(/^HTTP\/1.1 200/);
  const stranger = "http://evil.example/size?user_id=a";
  expect(await asking(stranger, "localhost")).toMatch(/^HTTP\/1.1 403/);
  expect(await asking("http://localhost", "localhost")).toMatch(/^HTTP\/1.1 404/);
});

test("a trailing slash makes no difference", async () => {
  const { url, log } = await serve();
  const body = { jsonrpc: "2.0", id: 1, method: "nope", params: {} };
  expect((await ask(`${url}/a2a/`, { body })).json.error.code).toBe(-32601);
  expect((await get(`${url}/size/?user_id=a`)).status).toBe(200);
  expect((await get(`${url}/`)).status).toBe(404);
  await eventually(() => log.length === 3);
  expect(log.map(({ path }) => path)).toEqual(["/a2a", "/size", "other"]);
});

test.each(["utf-8", "UTF8", '"utf-8"'])("the charset %s is UTF-8", async (charset) => {
  const { url } = await serve();
  const headers = { "content-type": `application/json; charset=${charset}` };
  const body = { user_id: "a", message: "Hi" };
  expect((await ask(`${url}/chat`, { headers, body })).status).toBe(200);
});

test.each([
  [{ "content-type": "application/json; charset=iso-8859-1" }],
  [{ "content-type": 'application/json;charset="utf-16"' }],
  [{ "content-encoding": "gzip" }],
  [{ "content-encoding": "identity" }],
])("415 for %j, on every endpoint", async (headers) => {
  const { url, memory } = await serve();
  const body = gzipSync(JSON.stringify({ user_id: "a", message: "Hi" }));
  for (const path of ["/chat", "/a2a"])
    expect((await ask(url + path, { headers, body })).status).toBe(415);
  expect(await memory.users()).toEqual([]);
});

test("the card can be cached, and is not sent again to a client that has it", async () => {
  const { url } = await serve();
  const { headers } = await get(url + CARD);
  expect(headers["cache-control"]).toMatch(/max-age=[1-9]/);
  const etag = String(headers.etag);
  const modified = String(headers["last-modified"]);
  const statusOf = async (asked: Record<string, string>) => {
    const { status, body, headers: answered } = await get(url + CARD, asked);
    expect(answered).toMatchObject({ etag, "last-modified": modified });
    expect(body === "").toBe(status === 304);
    return status;
  };
  expect(await statusOf({ "if-none-match": etag })).toBe(304);
  expect(await statusOf({ "if-none-match": `"other", W/${etag}` })).toBe(304);
  expect(await statusOf({ "if-none-match": '"other"', "if-modified-since": modified })).toBe(200);
  expect(await statusOf({ "if-modified-since": modified })).toBe(304);
  const long = "Thu, 01 Jan 1970 00:00:00 GMT";
  expect(await statusOf({ "if-modified-since": long })).toBe(200);
  const current = await get(url + CARD, { "a2a-version": "1.0", "if-none-match": etag });
  expect([current.status, current.headers.etag === etag]).toEqual([200, false]);
});

const PROXIED = { "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https" };

test("only a trusted proxy's headers count", async () => {
  const path = "/size?user_id=a";
  const plain = await serve();
  expect((await get(plain.url + path, PROXIED)).status).toBe(200);
  expect((await get(plain.url + CARD, PROXIED)).json.url).toMatch(/^http:/);

  const { url } = await serve({ trustedProxies: ["10.0.0.0/8", "127.0.0.1"] });
  expect((await get(url + CARD, PROXIED)).json.url).toMatch(/^https:/);
  const statusFor = async (client: string) =>
    (await get(url + path, { "x-forwarded-for": client })).status;
  // A client behind the proxy is not this machine, whatever its headers claim.
  expect(await statusFor("203.0.113.7")).toBe(403);
  expect(await statusFor("127.0.0.1, 203.0.113.7")).toBe(403);
  expect(await statusFor("127.0.0.1, 203.0.113.7, 10.1.2.3")).toBe(403);
  expect(await statusFor("localhost")).toBe(403);
  expect(await statusFor("[2001:db8::1]:443")).toBe(403);
  expect(await statusFor("127.0.0.2:5000, 10.1.2.3")).toBe(200);
});

test("a public URL is in the card, and its host is allowed without authentication", async () => {
  const publicUrl = "https://chat.example/";
  const asked = { host: "chat.example", origin: "http://chat.example" };
  const open = await serve({ publicUrl, allowAnonymous: true });
  expect((await get(open.url + CARD)).json.url).toBe("https://chat.example/a2a");
  expect((await get(`${open.url}/size?user_id=a`, asked)).status).toBe(200);
  const closed = await serve({ publicUrl });
  expect((await get(`${closed.url}/size?user_id=a`, asked)).status).toBe(403);
});

test("an idle connection stays open as long as configured", async () => {
  const { port } = await serve({ timeouts: { keepAlive: 9000 } });
  const request = rawChat("alice");
  expect(await answerTo(port, request)).toMatch(/^Keep-Alive: timeout=9\r$/m);
  const usual = await serve();
  expect(await answerTo(usual.port, request)).toMatch(/^Keep-Alive: timeout=65\r$/m);
});

test.each<Partial<ServerOptions>>([
  { publicUrl: "chat.example" },
  { publicUrl: "ftp://chat.example" },
  { trustedProxies: ["proxy"] },
  { trustedProxies: ["10.0.0.0/33"] },
])("%j is refused at once", (options) => {
  const agent = {} as ServerOptions["agent"];
  expect(() => createServer({ agent, ...options })).toThrow(
    expect.objectContaining({ code: "USAGE" }),
  );
});
