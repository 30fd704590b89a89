import { once } from "node:events";
import { createServer as createHttpServer, IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { type ChatServer, createServer, type ServerOptions } from "../../src/server/index.js";
import { ask, cleanUp, echo, eventually, get, rawChat, serve, Wire } from "./support.js";

/** The handler inside another server, which does something with each request first. */
async function mount(
  before: (chat: ChatServer["handler"]) => RequestListener,
  options: Partial<ServerOptions> = {},
) {
  const log: Record<string, unknown>[] = [];
  const model = echo();
  const agent = new Agent({ model, memory: new InMemory() });
  const server = createServer({ agent, log: (line) => log.push(JSON.parse(line)), ...options });
  const http = createHttpServer(before(server.handler)).listen(0, "127.0.0.1");
  await once(http, "listening");
  cleanUp(() => {
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, server, model, log };
}

const WITHOUT_BODY = "GET /size?user_id=alice HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("a client that is gone before the handler is called starts no run", async () => {
  let held = 0;
  const { port, server, model, log } = await mount(
    (handler) => async (request, response) => {
      held++;
      await once(request.socket, "close");
      setImmediate(handler, request, response);
    },
    { timeouts: { drain: 1e6 } },
  );
  const wires = await Promise.all(Array.from({ length: 20 }, () => Wire.open(port)));
  for (const { socket } of wires) socket.write(rawChat("alice") + WITHOUT_BODY);
  await eventually(() => held === 40);
  for (const { socket } of wires) socket.destroy();
  await eventually(() => log.length === 40);
  for (const line of log) expect(line).toMatchObject({ status: 499, code: "CANCELLED" });
  expect(model.requests).toHaveLength(0);
  await server.close();
});

test("a request that a middleware has answered is released on an open connection", async () => {
  const { port, server, log } = await mount(
    (handler) => (request, response) => {
      response.end("mine", () => setImmediate(handler, request, response));
    },
    { timeouts: { drain: 1e6 } },
  );
  const wire = await Wire.open(port);
  wire.socket.write(WITHOUT_BODY);
  await eventually(() => log.length === 1);
  expect(wire.received).toMatch(/mine/);
  expect(wire.socket.destroyed).toBe(false);
  await server.close();
});

test("a client that hangs up while it is being authenticated leaves nothing behind", async () => {
  let asked = false;
  const { port, server, log } = await serve({
    timeouts: { drain: 1e6 },
    authenticate: async ({ raw }) => {
      asked = true;
      if (raw instanceof IncomingMessage) await once(raw.socket, "close");
      await new Promise(setImmediate);
      return { userId: "alice" };
    },
  });
  const wire = await Wire.open(port);
  wire.socket.write(rawChat("alice"));
  await eventually(() => asked);
  wire.socket.destroy();
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 499, code: "CANCELLED" });
  await server.close();
});

const READ_BEFORE = {
  code: "CONFIG_INVALID",
  fault: expect.stringMatching(/^The body was read before\b.*\.$/),
};

test.each([
  { what: "a body", message: { message: "Hi" } },
  { what: "an empty body", message: undefined },
])("$what that authenticate has read is one clear server error", async ({ message }) => {
  const { url, log } = await serve({
    authenticate: async ({ raw }) => {
      if (raw instanceof IncomingMessage) for await (const _ of raw);
      return { userId: "alice" };
    },
  });
  for (const path of ["/chat", "/a2a"]) {
    const { status, body } = await ask(url + path, { body: message });
    expect(status).toBe(500);
    expect(body).toContain("The server failed");
    expect(body).not.toContain("body");
  }
  await eventually(() => log.length === 2);
  for (const line of log) expect(line).toMatchObject({ status: 500, ...READ_BEFORE });
  expect((await get(`${url}/size`)).status).toBe(200);
});

test("a body that was partly read is one clear server error", async () => {
  const { url, log } = await mount((handler) => (request, response) => {
    request.once("data", () => {
      request.pause();
      handler(request, response);
    });
  });
  expect((await ask(`${url}/chat`, { body: { user_id: "a", message: "Hi" } })).status).toBe(500);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject(READ_BEFORE);
});
