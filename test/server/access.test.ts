import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { createServer } from "../../src/server/index.js";
import { ask, chat, echo, eventually, get, serve } from "./support.js";

const tokens = new Map([
  ["Bearer a", "alice"],
  ["Bearer b", "bob"],
]);

const serveKnown = () =>
  serve({
    authenticate: ({ headers }) => {
      const userId = tokens.get(headers.authorization ?? "");
      return userId === undefined ? null : { userId };
    },
  });

test("with authentication only the card, the description and the health checks are open", async () => {
  const served = await serveKnown();
  expect(await chat(served, "alice", "Hi")).toMatchObject({
    status: 401,
    json: { code: "UNAUTHENTICATED" },
  });
  for (const path of ["/history", "/size", "/export", "/nothing"])
    expect((await get(`${served.url}${path}?user_id=alice`)).status).toBe(401);
  expect((await ask(`${served.url}/a2a`, { body: {} })).status).toBe(401);
  for (const path of ["/healthz", "/readyz", "/openapi.json", "/.well-known/agent-card.json"])
    expect((await get(`${served.url}${path}`)).status).toBe(200);
});

test("with authentication every user_id is the caller's own or absent", async () => {
  const { url, memory } = await serveKnown();
  const headers = { authorization: "Bearer a" };
  const say = (body: object) => ask(`${url}/chat`, { headers, body: { message: "Hi", ...body } });
  expect((await say({})).json.user_id).toBe("alice");
  expect((await say({ user_id: "alice" })).status).toBe(200);
  expect(await say({ user_id: "bob" })).toMatchObject({
    status: 403,
    json: { code: "FORBIDDEN" },
  });
  for (const path of ["/history", "/size", "/export"]) {
    expect((await get(`${url}${path}?user_id=bob`, headers)).status).toBe(403);
    expect((await get(`${url}${path}`, headers)).json.user_id).toBe("alice");
  }
  const clear = await ask(`${url}/history?user_id=bob`, { method: "DELETE", headers });
  expect(clear.status).toBe(403);
  expect(await memory.size("bob")).toBe(0);
});

test("the log shows who was refused, not whose data was asked for", async () => {
  const served = await serveKnown();
  const asked = async (token: string, user_id: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}` };
    await ask(`${served.url}/chat`, { headers, body: { message: "Hi", user_id } });
    await eventually(() => served.log.length === 1);
    return served.log.pop()?.user;
  };
  const [alice, refused, bob] = [
    await asked("a", "alice"),
    await asked("a", "bob"),
    await asked("b", "bob"),
  ];
  expect(refused).toBe(alice);
  expect(bob).not.toBe(alice);
});

test("an authentication that throws refuses every request and reveals nothing", async () => {
  const authenticate = () => {
    throw new Error("secret");
  };
  const answer = await chat(await serve({ authenticate }), "alice", "Hi");
  expect(answer).toMatchObject({ status: 500, json: { code: "INTERNAL" } });
  expect(answer.body).not.toContain("secret");
});

test.each([undefined, {}, 5, "alice", { userId: 7 }, { userId: "" }, { userId: " secret" }])(
  "an authentication that returns %j is the server's fault, not the client's",
  async (junk) => {
    const served = await serve({ authenticate: () => junk as { userId: string } });
    const answer = await chat(served, "alice", "Hi");
    expect(answer).toMatchObject({
      status: 500,
      json: {
        error: "The server failed.",
        code: "CONFIG_INVALID",
      },
    });
    await eventually(() => served.log.length === 1);
    expect(served.log[0]).toMatchObject({
      status: 500,
      code: "CONFIG_INVALID",
      fault: "authenticate must return { userId } with a valid user id, or null.",
    });
    expect(await served.memory.users()).toEqual([]);
  },
);

test.each([
  "evil.example",
  "evil.example:8080",
  "127.0.0.1.evil.example",
  "localhost.evil.example",
])("without authentication a request for the host %j is refused: DNS rebinding", async (host) => {
  const { url } = await serve();
  expect((await get(`${url}/size?user_id=a`, { host })).status).toBe(403);
});

test.each(["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:1", "[::1]:8080"])(
  "this machine's own name %s is answered",
  async (host) => {
    const { url } = await serve();
    expect((await get(`${url}/size?user_id=a`, { host })).status).toBe(200);
  },
);

test("only pages of our own origin are answered, and no CORS header is sent", async () => {
  const { url } = await serve();
  for (const origin of ["http://evil.example", "null", "http://127.0.0.1:1", "nonsense"]) {
    const answer = await get(`${url}/size?user_id=a`, { origin });
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).join()).not.toContain("access-control");
  }
  const own = await get(`${url}/size?user_id=a`, { origin: url });
  expect(own.status).toBe(200);
  expect(Object.keys(own.headers).join()).not.toContain("access-control");
  expect((await ask(`${url}/chat`, { method: "OPTIONS" })).status).toBe(405);
});

test("other hosts are allowed by name, or by address if everyone may connect", async () => {
  const named = await serve({ allowedHosts: ["chat.example"] });
  expect((await get(`${named.url}/size?user_id=a`, { host: "chat.example:80" })).status).toBe(200);
  const open = await serve({ allowAnonymous: true });
  const from = async (host: string) => (await get(`${open.url}/size?user_id=a`, { host })).status;
  expect([await from("10.0.0.7:8080"), await from("chat"), await from("evil.example")]).toEqual([
    200, 200, 403,
  ]);
});

test("without authentication the server listens only on loopback by default", async () => {
  const server = createServer({ agent: new Agent({ model: echo() }) });
  for (const host of ["0.0.0.0", "::", "192.168.1.1"])
    await expect(server.listen({ host, port: 0 })).rejects.toMatchObject({ code: "USAGE" });
  const { url } = await serve({ allowAnonymous: true, listen: { host: "0.0.0.0" } });
  expect(url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

test.skipIf(outside === undefined)(
  "a mounted handler answers its own machine only, whatever its host listens on",
  async () => {
    const mounted = createServer({ agent: new Agent({ model: echo() }) });
    const own = createHttpServer(mounted.handler).listen(0, "0.0.0.0");
    await once(own, "listening");
    try {
      const { port } = own.address() as { port: number };
      const url = `http://${outside}:${port}/size?user_id=a`;
      expect((await get(url, { host: "localhost" })).status).toBe(403);
    } finally {
      own.close();
    }
  },
);

test("a port in use or a foreign address is one clear error", async () => {
  const { port } = await serve();
  const server = createServer({ agent: new Agent({ model: echo() }) });
  await expect(server.listen({ port })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
    message: `Port ${port} of 127.0.0.1 is in use.`,
  });
  const open = createServer({ agent: new Agent({ model: echo() }), allowAnonymous: true });
  await expect(open.listen({ host: "203.0.113.1", port: 0 })).rejects.toMatchObject({
    code: "USAGE",
  });
});
