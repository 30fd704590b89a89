import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createGunzip, createGzip } from "node:zlib";
import { expect, test, vi } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { createServer } from "../../src/server/index.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { Gate } from "../agent/support.js";
import { cleanUp, eventually, halting, rawChat, rawPost, serve, Wire } from "./support.js";

/** Every streaming route, as a raw request of alice. */
const ROUTES = {
  "POST /chat": rawChat("alice", "Hi", "Accept: text/event-stream\r\n"),
  "A2A 1.0": rawA2a("1.0", "SendStreamingMessage", { role: "ROLE_USER", parts: [{ text: "Hi" }] }),
  "A2A 0.3": rawA2a("0.3", "message/stream", {
    kind: "message",
    role: "user",
    parts: [{ kind: "text", text: "Hi" }],
  }),
};

const routes = Object.entries(ROUTES);

function rawA2a(version: string, method: string, fields: object): string {
  const message = { messageId: "m", contextId: "alice", ...fields };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { message } });
  return rawPost("/a2a", body, `A2A-Version: ${version}\r\n`);
}

const silent = () => new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "late"));

const commentsIn = ({ received }: Wire): number => received.match(/^:$/gm)?.length ?? 0;

test.each(routes)("%s sends a keep-alive after every 15 seconds of silence", async (_, request) => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  cleanUp(() => vi.useRealTimers());
  const model = silent();
  const { port } = await serve({ model });
  const wires = [await Wire.open(port), await Wire.open(port)];
  // The second has no answer yet: it waits for the first of the same session.
  for (const { socket } of wires) socket.write(request);
  await eventually(() => model.requests.length === 1 && vi.getTimerCount() >= 2);
  for (const count of [1, 2]) {
    vi.advanceTimersByTime(14_999);
    vi.advanceTimersByTime(1);
    await eventually(() => wires.every((wire) => commentsIn(wire) === count));
  }
  for (const { received } of wires)
    expect(received).toMatch(/^cache-control: no-store, no-transform\r$/im);
});

test.each(routes)("%s leaves no timer behind", async (_, request) => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  cleanUp(() => vi.useRealTimers());
  const { port, log } = await serve({ model: silent() });
  const before = vi.getTimerCount();
  const wire = await Wire.open(port);
  wire.socket.write(request);
  await eventually(() => vi.getTimerCount() > before);
  wire.socket.destroy();
  await eventually(() => log.length === 1);
  expect(vi.getTimerCount()).toBe(before);
});

const LAST_WORDS: Record<string, RegExp> = {
  "POST /chat": /event: error\ndata: .*\n\n\r\n0\r\n\r\n$/,
  "A2A 1.0": /TASK_STATE_FAILED.*\n\n\r\n0\r\n\r\n$/,
  "A2A 0.3": /"state":"failed".*\n\n\r\n0\r\n\r\n$/,
};

test.each(routes)(
  "%s ends with an error when time runs out, and the log says why",
  async (door, request) => {
    const { port, log } = await serve({ model: halting(), timeouts: { reply: 100 } });
    const wire = await Wire.open(port);
    wire.socket.write(request);
    await wire.until(LAST_WORDS[door] as RegExp);
    await eventually(() => log.length === 1);
    expect(log[0]).toMatchObject({ status: 200, code: "MODEL_TIMEOUT" });
  },
);

test.each(routes)(
  "%s ends with an error on shutdown, and the log says why",
  async (door, request) => {
    const { port, server, log } = await serve({ model: halting(), timeouts: { drain: 1e6 } });
    const wire = await Wire.open(port);
    wire.socket.write(request);
    await wire.until(/Hel/);
    const closed = server.close({ now: true });
    await wire.until(LAST_WORDS[door] as RegExp);
    await closed;
    expect(log).toMatchObject([{ status: 200, code: "SHUTTING_DOWN" }]);
  },
);

/** Middleware that compresses everything, even against no-transform, and buffers until flushed. */
const compressing =
  (handler: RequestListener): RequestListener =>
  (request, response) => {
    const gzip = createGzip();
    const [write, end] = [response.write.bind(response), response.end.bind(response)];
    gzip.on("data", (chunk) => write(chunk)).on("end", () => end());
    gzip.on("drain", () => response.emit("drain"));
    response.setHeader("content-encoding", "gzip");
    Object.assign(response, {
      write: (chunk: string) => gzip.write(chunk),
      end: () => void gzip.end(),
      flush: () => gzip.flush(),
    });
    handler(request, response);
  };

test.each(routes)("%s streams through compressing middleware", async (_, request) => {
  const gate = new Gate();
  const server = createServer({ agent: new Agent({ model: halting(gate) }) });
  const http = createHttpServer(compressing(server.handler)).listen(0, "127.0.0.1");
  await once(http, "listening");
  cleanUp(() => http.close());
  const wire = await Wire.open((http.address() as AddressInfo).port);
  let text = "";
  const gunzip = createGunzip().on("data", (chunk) => {
    text += chunk;
  });
  wire.socket.removeAllListeners("data");
  wire.socket.on(
    "data",
    dechunked((bytes) => gunzip.write(bytes)),
  );
  wire.socket.write(request);
  await eventually(() => text.includes("Hel"));
  gate.open();
  await eventually(() => /run-end|COMPLETED|completed/.test(text));
  wire.socket.destroy();
});

/** Decodes the HTTP/1.1 chunks of one answer without trailers. */
function dechunked(take: (bytes: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  let inBody = false;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const mark = rest.indexOf(inBody ? "\r\n" : "\r\n\r\n");
      if (mark < 0) return;
      if (!inBody) {
        inBody = true;
        rest = rest.subarray(mark + 4);
        continue;
      }
      const length = Number.parseInt(rest.subarray(0, mark).toString(), 16);
      if (rest.length < mark + 4 + length || length === 0) return;
      take(rest.subarray(mark + 2, mark + 2 + length));
      rest = rest.subarray(mark + 4 + length);
    }
  };
}
