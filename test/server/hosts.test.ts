import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { type ChatServer, createServer } from "../../src/server/index.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { agentOver, runBattery } from "../../src/verify/battery.js";
import { type Serve, serverDoors } from "../../src/verify/doors/server.js";
import { userIds } from "../../src/verify/users.js";
import { appWith } from "./express-app.mjs";
import { ask, chat, cleanUp, echo, eventually, get, rawPost, Wire } from "./support.js";

const run = promisify(execFile);

/** An app of Hono with the routes of a server below `path`. */
function inHono(chatServer: ChatServer, path = "/"): Server {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get("/own", (context) => context.text("own"));
  app.mount(path, (request, { incoming }: HttpBindings) =>
    chatServer.fetch(request, { address: incoming.socket.remoteAddress }),
  );
  return createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
}

/** The same with Express. */
const inExpress = (chatServer: ChatServer, path = "/"): Server =>
  createHttpServer(appWith(path, chatServer.handler));

const HOSTS = { Hono: inHono, Express: inExpress };

async function listen(http: Server): Promise<{ url: string; port: number }> {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  cleanUp(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${port}`, port };
}

test.each(Object.entries(HOSTS))("below a path of %s all is answered as alone", async (_, host) => {
  const server = createServer({ agent: new Agent({ model: echo() }) });
  const { url } = await listen(host(server, "/agent"));
  expect((await get(`${url}/own`)).body).toBe("own");
  const agent = { url: `${url}/agent` };
  expect((await chat(agent, "alice", "Hi")).json).toEqual({
    user_id: "alice",
    reply: "You said: Hi",
  });
  expect((await get(`${agent.url}/size?user_id=alice`)).json.messages).toBe(2);
  const streamed = await ask(`${agent.url}/chat`, {
    headers: { accept: "text/event-stream" },
    body: { user_id: "alice", message: "Again" },
  });
  expect(streamed.body).toMatch(/event: run-end\ndata: .*You said: Again/);
  const head = await ask(`${agent.url}/size?user_id=alice`, { method: "HEAD" });
  expect([head.status, head.body]).toEqual([200, ""]);
  expect((await ask(`${agent.url}/size`, { body: {} })).headers.allow).toBe("GET, HEAD");
  expect((await get(`${agent.url}/nothing`)).json.code).toBe("NOT_FOUND");
});

test.each(
  Object.entries(HOSTS).flatMap(([name, host]) =>
    ["application/json", "text/event-stream"].map((accept) => ({ name, host, accept })),
  ),
)("hanging up on a $name app while waiting for $accept stops the run", async ({ host, accept }) => {
  let isAborted = false;
  const model = new ScriptedModel(async (_, { signal }) => {
    await once(signal, "abort");
    isAborted = true;
    return "too late";
  });
  const memory = new InMemory();
  const log: Record<string, unknown>[] = [];
  const agent = new Agent({ model, memory });
  const server = createServer({ agent, log: (line) => log.push(JSON.parse(line)) });
  const { port } = await listen(host(server));
  const wire = await Wire.open(port);
  const body = JSON.stringify({ user_id: "alice", message: "Hi" });
  wire.socket.write(rawPost("/chat", body, `Accept: ${accept}\r\n`));
  await eventually(() => model.requests.length === 1);
  wire.socket.destroy();
  await eventually(() => isAborted && log.length === 1);
  expect(log[0]).toMatchObject({ status: 499, code: "CANCELLED" });
  expect(memory.users()).toEqual([]);
});

test.each(Object.entries(HOSTS))(
  "a refusal arrives through %s while a long body is still being sent",
  async (_, host) => {
    const agent = new Agent({ model: echo() });
    const strict = createServer({ agent, authenticate: () => null });
    const open = createServer({ agent });
    const body = JSON.stringify({ user_id: "alice", message: "x".repeat(8_000_000) });
    for (const [server, answer] of [
      [strict, /^HTTP\/1.1 401 .*"UNAUTHENTICATED"/s],
      [open, /^HTTP\/1.1 413 .*"TOO_LARGE"/s],
    ] as const) {
      const wire = await Wire.open((await listen(host(server))).port);
      wire.socket.write(rawPost("/chat", body));
      await wire.until(answer);
    }
  },
);

const serveInHono: Serve = async (agent, tokens) => {
  const server = createServer({ agent, authenticate: (request) => tokens.userOf(request) });
  const { url } = await listen(inHono(server));
  return { url, close: () => server.close({ now: true }) };
};

test("no attack on anybody's data succeeds on a server in a Hono app", async () => {
  const { findings, notReached } = await runBattery({
    ...{ open: agentOver(new InMemory()), users: userIds(4), rounds: 2, seed: 1 },
    openDoors: ({ agent }) => serverDoors(agent as Agent, serveInHono),
    signal: new AbortController().signal,
  });
  expect({ findings, notReached }).toEqual({ findings: [], notReached: [] });
});

const WORKER = `
  import crypto from "node:crypto";
  import { syncBuiltinESMExports } from "node:module";
  const refuse = () => { throw new Error("Not allowed within global scope."); };
  for (const name of ["randomUUID", "randomBytes", "randomInt"]) crypto[name] = refuse;
  globalThis.setTimeout = globalThis.setInterval = refuse;
  syncBuiltinESMExports();
  const { Agent, DemoModel } = await import("agno-chat");
  const { createServer } = await import("agno-chat/server");
  console.log(typeof createServer({ agent: new Agent({ model: new DemoModel() }) }).fetch);
`;

test("a server is made without timers and random values, which workers allow only later", async () => {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", WORKER]);
  expect(stdout).toBe("function\n");
});
