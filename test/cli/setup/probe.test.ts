import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { findRunning } from "../../../src/cli/setup/probe.js";
import { OFFERED_SERVERS } from "../../../src/cli/setup/servers.js";
import { ModelServer, type Reply, silence, status } from "../../support/model-server.js";
import { stopClock } from "../../support/stopped-clock.js";

/** Long enough for a busy machine. */
const PATIENT = { limitMs: 10_000 };

const servers: ModelServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function start(models?: Reply): Promise<ModelServer> {
  const server = await ModelServer.start(undefined, models === undefined ? {} : { models });
  servers.push(server);
  return server;
}

/** A URL without a server. */
async function nobody(): Promise<string> {
  const server = await start();
  const { url } = server;
  await server.close();
  servers.pop();
  return url;
}

test("finds the servers that list their models, and no others", async () => {
  const running = await start();
  const urls = [
    running.url,
    await nobody(),
    (await start(status(404))).url,
    (await start(status(401, { data: [] }))).url,
    (await start(status(200, "<html>"))).url,
    (await start(status(200, { models: [] }))).url,
    (await start(status(200, "null"))).url,
  ];
  expect(await findRunning(urls, PATIENT)).toEqual(new Set([running.url]));
});

test("asks all servers at once and waits 300 ms at most", async () => {
  let asked = 0;
  const counted =
    (reply: Reply): Reply =>
    (response, request) => {
      asked += 1;
      return reply(response, request);
    };
  const dripping: Reply = (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  };
  const deaf = createServer(() => {
    asked += 1;
  }).listen(0, "127.0.0.1");
  await once(deaf, "listening");
  const { port } = deaf.address() as AddressInfo;
  const others = [silence(), silence(), dripping].map((reply) => start(counted(reply)));
  const urls = [
    `http://127.0.0.1:${port}/v1`,
    ...(await Promise.all(others)).map(({ url }) => url),
  ];
  stopClock();
  const found = findRunning(urls);
  while (asked < urls.length) await nextTurn();
  expect(vi.getTimerCount()).toBe(urls.length);
  vi.advanceTimersByTime(300);
  expect(await found).toEqual(new Set());
  deaf.close();
});

test("never reads an endless list", async () => {
  const endless: Reply = (response) => {
    response.writeHead(200);
    const more = (): void => {
      while (response.write("[".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  };
  expect(await findRunning([(await start(endless)).url], PATIENT)).toEqual(new Set());
});

test("never sends a key or follows a redirect", async () => {
  const elsewhere = await start();
  let headers: object = {};
  const moved = await start((response, request) => {
    headers = request.headers;
    response.writeHead(302, { location: `${elsewhere.url}/models` }).end();
  });
  expect(await findRunning([moved.url], PATIENT)).toEqual(new Set());
  expect(elsewhere.connections).toBe(0);
  expect(Object.keys(headers)).not.toContain("authorization");
});

test("asks only addresses of this machine before the user has chosen", () => {
  const local = OFFERED_SERVERS.filter(({ isLocal }) => isLocal);
  expect(local.map(({ baseUrl }) => new URL(baseUrl as string).host)).toEqual([
    "127.0.0.1:11434",
    "127.0.0.1:1234",
    "127.0.0.1:8080",
    "127.0.0.1:8000",
  ]);
});
