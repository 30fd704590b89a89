import { afterEach, describe, expect, it } from "vitest";
import { dropped, ModelServer, type Reply, streamedText } from "../support/model-server.js";
import { ask, askAndFail, open, recordedTiming, textOf } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

const typesOf = (events: readonly { type: string }[]) => [...new Set(events.map((e) => e.type))];

/** Answers the first request of a connection and closes the connection at the second. */
function closesKeptConnection(answer: Reply = streamedText("Hello there")): Reply {
  const served = new WeakSet<object>();
  return (response, request) => {
    const { socket } = response;
    if (socket === null || served.has(socket)) return void socket?.destroy();
    served.add(socket);
    return answer(response, request);
  };
}

describe("a kept connection that the server has closed", () => {
  it("is replaced silently: 39 of 39 follow-ups succeed at once", async () => {
    server = await ModelServer.start(closesKeptConnection());
    const { timing, delays } = recordedTiming();
    const model = open(server.url, { timing });
    for (let count = 0; count < 40; count += 1) {
      const events = await ask(model);
      expect(textOf(events)).toBe("Hello there");
      expect(typesOf(events)).toEqual(["text-delta", "finish"]);
    }
    expect(delays).toEqual([]);
  });

  it("is replaced even when it closes right after the answer", async () => {
    server = await ModelServer.start(async (response, request) => {
      response.once("finish", () => response.socket?.end());
      await streamedText("Hello there")(response, request);
    });
    const model = open(server.url, { timing: recordedTiming().timing });
    for (let count = 0; count < 40; count += 1)
      expect(typesOf(await ask(model))).toEqual(["text-delta", "finish"]);
  });

  it("is replaced even when no retry is left", async () => {
    server = await ModelServer.start(closesKeptConnection());
    const model = open(server.url, { maxRetries: 0 });
    await ask(model);
    expect(textOf(await ask(model))).toBe("Hello there");
  });

  it("is replaced once: a new one that also breaks is a failure", async () => {
    server = await ModelServer.start([streamedText("Hello"), dropped()]);
    const model = open(server.url, { maxRetries: 0 });
    await ask(model);
    const { error } = await askAndFail(model);
    expect(error.code).toBe("MODEL_NETWORK");
    expect(server.requests).toHaveLength(3);
  });
});

it("a new connection that breaks is a failure, and is not retried silently", async () => {
  server = await ModelServer.start(dropped());
  await askAndFail(open(server.url, { maxRetries: 0 }));
  expect(server.requests).toHaveLength(1);
});

it("a kept connection that breaks after the first byte is not retried silently", async () => {
  const begun: Reply = (response) => {
    response.socket?.write("HTTP/1.1 200 OK\r\nContent-Ty", () => response.socket?.destroy());
  };
  server = await ModelServer.start([streamedText("Hello"), begun]);
  const model = open(server.url, { maxRetries: 0 });
  await ask(model);
  const { error } = await askAndFail(model);
  expect([error.code, server.requests.length]).toEqual(["MODEL_NETWORK", 2]);
});

it("a request for the list of models moves to a new connection too", async () => {
  server = await ModelServer.start(streamedText("Hello"), {
    models: closesKeptConnection((response) => {
      response.end(JSON.stringify({ data: [{ id: "m" }] }));
    }),
  });
  const { listModels } = await import("../../src/models/openai.js");
  const { signal } = new AbortController();
  for (let count = 0; count < 3; count += 1)
    expect(await listModels({ baseUrl: server.url, signal })).toEqual(["m"]);
});
