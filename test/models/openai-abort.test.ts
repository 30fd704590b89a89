import { once } from "node:events";
import net from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { OpenAIModel } from "../../src/models/openai.js";
import {
  chunk,
  ModelServer,
  type Reply,
  silence,
  stalled,
  status,
  streamedText,
} from "../support/model-server.js";
import { ask, HELLO, open } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

/** The first call loads the SDK, which these tests do not measure. */
beforeAll(async () => {
  const first = await ModelServer.start();
  await ask(open(first.url));
  await first.close();
});

/** Aborts after `ready`. Returns what was thrown, and after how many turns of the event loop. */
async function abortWhen(model: OpenAIModel, ready: (seen: string[]) => Promise<unknown>) {
  const controller = new AbortController();
  const reason = new Error("enough");
  const seen: string[] = [];
  let turns = 0;
  let isOver = false;
  const failed = (async () => {
    for await (const { type } of model.stream(HELLO, controller)) seen.push(type);
  })()
    .catch((thrown) => ({ thrown, seen }))
    .finally(() => {
      isOver = true;
    });
  await ready(seen);
  controller.abort(reason);
  for (; !isOver; turns += 1) await nextTurn();
  return { reason, outcome: await failed, turns };
}

const expectPrompt = ({ reason, outcome, turns }: Awaited<ReturnType<typeof abortWhen>>): void => {
  expect(outcome?.thrown).toBe(reason);
  // Whatever waited for the server or for a retry would take thousands.
  expect(turns).toBeLessThanOrEqual(3);
};

describe("an abort throws the reason at once and closes the socket", () => {
  it("before the server has answered", async () => {
    server = await ModelServer.start(silence());
    expectPrompt(await abortWhen(open(server.url), () => server.nextRequest()));
    await server.hungUp();
  });

  it("while a body stalls", async () => {
    server = await ModelServer.start(stalled(chunk({ content: "Hi" })));
    const result = await abortWhen(open(server.url), (seen) => polled(() => seen.length > 0));
    expectPrompt(result);
    expect(result.outcome?.seen).toEqual(["text-delta"]);
    await server.hungUp();
  });

  it("while only keep-alive comments arrive", async () => {
    server = await ModelServer.start(comments());
    expectPrompt(await abortWhen(open(server.url), () => server.nextRequest()));
    await server.hungUp();
  });

  it("while the reason for a failure is being read", async () => {
    server = await ModelServer.start((response) => {
      response.writeHead(500, { "content-length": 100 });
      response.write("half");
    });
    expectPrompt(await abortWhen(open(server.url), () => server.nextRequest()));
    await server.hungUp();
  });

  it("while waiting for a retry, however long the server asked for", async () => {
    server = await ModelServer.start(status(429, "", { "retry-after": "30" }));
    const result = await abortWhen(open(server.url), (seen) => polled(() => seen.length > 0));
    expectPrompt(result);
    expect(result.outcome?.seen).toEqual(["retry"]);
    expect(server.requests).toHaveLength(1);
  });

  it("while a secure connection is opening", async () => {
    const mute = net.createServer((socket) => socket.on("error", () => {}));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const connected = once(mute, "connection");
    const { port } = mute.address() as net.AddressInfo;
    expectPrompt(await abortWhen(open(`https://127.0.0.1:${port}/v1`), () => connected));
    const [socket] = await connected;
    if (!socket.destroyed) await once(socket.resume(), "close");
    mute.close();
  });
});

it("nothing is sent for a signal that has already aborted", async () => {
  server = await ModelServer.start();
  const reason = new Error("enough");
  await expect(ask(open(server.url), HELLO, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(server.requests).toHaveLength(0);
});

it("leaving the loop closes the socket", async () => {
  server = await ModelServer.start(stalled(chunk({ content: "Hi" })));
  for await (const _ of open(server.url).stream(HELLO, new AbortController())) break;
  await server.hungUp();
});

it("listens to the signal only during a call", async () => {
  server = await ModelServer.start([status(503), streamedText("Hello there")]);
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    listeners += 1;
    Reflect.apply(addEventListener, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    listeners -= 1;
    Reflect.apply(removeEventListener, signal, args);
  };
  await ask(
    open(server.url, { timing: { random: () => 0, sleep: async () => {} } }),
    HELLO,
    signal,
  );
  expect(listeners).toBe(0);
});

function comments(): Reply {
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    while (!response.destroyed) {
      response.write(": ping\n\n");
      await nextTurn();
    }
  };
}

async function polled(isReady: () => boolean): Promise<void> {
  while (!isReady()) await nextTurn();
}
