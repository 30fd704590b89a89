import { afterEach, describe, expect, it, vi } from "vitest";
import { Agent, InMemory } from "../../src/index.js";
import type { Model } from "../../src/models/model.js";
import { chunk, event, ModelServer, type Reply } from "../support/model-server.js";
import { askAndFail, open } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

/** Sends the same text forever, as fast as it is read. */
const endless =
  (text: string, headers: object = { "content-type": "text/event-stream" }): Reply =>
  async (response) => {
    response.writeHead(200, { ...headers });
    while (!response.destroyed) await new Promise((written) => response.write(text, written));
  };

const long = "word ".repeat(20_000);
const toolCall = (piece: object) => chunk({ tool_calls: [{ index: 0, id: "c", ...piece }] });

describe("gives up, and closes the connection, when a server sends endless", () => {
  for (const [what, text, says] of [
    ["text", event(chunk({ content: long })), /more than 4 million characters of text/],
    ["thoughts", event(chunk({ content: `<think>${long}` })), /more than 4 million .* of text/],
    ["reasoning", event(chunk({ reasoning_content: long })), /16 million characters of reasoning/],
    [
      "arguments",
      event(toolCall({ function: { name: "a", arguments: long } })),
      /4 million characters of arguments/,
    ],
    ["names", event(toolCall({ function: { name: long } })), /4 million characters of arguments/],
    ["comments", `: ${long}\n\n`, /sent too much that is not part of an answer/],
    [
      "short comments",
      ": working\n\n".repeat(6_000),
      /sent too much that is not part of an answer/,
    ],
    ["empty chunks", event(chunk({})).repeat(300), /sent too much that is not part of an answer/],
    ["blank lines", "\n".repeat(60_000), /sent too much that is not part of an answer/],
    ["a line", `data: ${long}`, /an event that is too long/],
    ["lines of one event", `data: ${long}\n`, /an event that is too long/],
    ["lines of another kind", `id: ${long}\n`, /an event that is too long/],
    ["a document", `{"a": "${long}`, /an event that is too long/],
  ] as const)
    it(what, async () => {
      server = await ModelServer.start(endless(text));
      const { error } = await askAndFail(open(server.url));
      expect(error.code).toBe("MODEL_BAD_RESPONSE");
      expect(error.message).toMatch(says);
      expect(error.hint).toMatch(/\.$/);
      await server.hungUp();
    });

  it("headers", async () => {
    server = await ModelServer.start((response) => {
      response.writeHead(200, { "x-long": "x".repeat(100_000) });
      response.end();
    });
    const { error } = await askAndFail(open(server.url));
    expect([error.code, error.message]).toEqual([
      "MODEL_BAD_RESPONSE",
      expect.stringMatching(/sent headers that are too long/),
    ]);
  });
});

describe("time", () => {
  const MINUTE = 60_000;

  /** Sends `text` once per minute of a fake clock, which advances with each turn of the loop. */
  async function everyMinute(text: string) {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      let minutes = 0;
      server = await ModelServer.start(async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (; vi.isFakeTimers() && minutes < 1000; minutes += 1) {
          await new Promise((written) => response.write(text, written));
          await new Promise((next) => setImmediate(next));
          if (vi.isFakeTimers()) vi.advanceTimersByTime(MINUTE);
        }
      });
      return { ...(await askAndFail(open(server.url))), minutes };
    } finally {
      vi.useRealTimers();
    }
  }

  it("gives up after 20 minutes of keep-alives and no answer", async () => {
    const { error, minutes } = await everyMinute(": working\n\n");
    expect(error.code).toBe("MODEL_TIMEOUT");
    expect(error.message).toMatch(/sent no part of an answer for 20 minutes\.$/);
    expect(minutes).toBeGreaterThanOrEqual(20);
    expect(minutes).toBeLessThan(60);
  });

  it("gives up on an endless answer after 2 hours", async () => {
    const { error, minutes } = await everyMinute(event(chunk({ content: "on " })));
    expect(error.code).toBe("MODEL_TIMEOUT");
    expect(error.message).toMatch(/did not end its answer within 120 minutes\.$/);
    expect(minutes).toBeGreaterThanOrEqual(120);
  });
});

it("limits any other model too", async () => {
  const model: Model = {
    name: "endless",
    async *stream() {
      for (;;) yield { type: "text-delta", text: long };
    },
  };
  const agent = new Agent({ model, memory: new InMemory() });
  await expect(agent.run("Hello", { userId: "alice" })).rejects.toMatchObject({
    code: "MODEL_BAD_RESPONSE",
    message: expect.stringMatching(/more than 4 million characters of text/),
  });
});
