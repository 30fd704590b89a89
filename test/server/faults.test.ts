import { once } from "node:events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { ask, chat, eventually, get, rawChat, rawPost, serve, Wire } from "./support.js";

test("a slow header or body costs only its own connection", async () => {
  const served = await serve({ timeouts: { header: 150, body: 150 } });
  const beginnings = [
    "",
    "POST /ch",
    "POST /chat HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    rawChat("alice").slice(0, -5),
  ];
  const wires = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const wire = await Wire.open(served.port);
      wire.socket.write(beginnings[index % beginnings.length] as string);
      return wire;
    }),
  );
  expect((await chat(served, "bob", "Hi")).status).toBe(200);
  await Promise.all(wires.map((wire) => wire.closed()));
  for (const { received } of wires) expect(received).toMatch(/^(HTTP\/1.1 408 |$)/);
  expect(await served.memory.size("alice")).toBe(0);
});

test("long bodies that never end keep out long ones, but nobody's short message", async () => {
  const served = await serve();
  for (const length of [1024 * 1024, 64 * 1024, 4100]) {
    const long = "x".repeat(length);
    const endless = rawPost("/chat", long).slice(0, -1);
    for (let status = 0; status !== 429; ) {
      const { socket } = await Wire.open(served.port);
      socket.write(endless);
      ({ status } = await ask(`${served.url}/chat`, { body: long }));
    }
  }
  expect((await chat(served, "bob", "x".repeat(4000))).status).toBe(200);
});

test("a client that does not read a long answer is disconnected, and its run stored", async () => {
  // Six bytes each in JSON: more than sockets buffer, from a text as long as a model may send.
  const long = "\u0001".repeat(1_000_000);
  const model = new ScriptedModel(() => ({ text: Array(4).fill(long) }));
  const { port, memory, log } = await serve({ model, timeouts: { reader: 50 } });
  for (const accept of ["text/event-stream", "application/json"]) {
    const wire = await Wire.open(port);
    wire.socket.pause();
    wire.socket.write(rawChat(accept, "Hi", `Accept: ${accept}\r\n`));
  }
  await eventually(() => log.length === 2);
  expect(log.map(({ status }) => status)).toEqual([499, 499]);
  expect(await memory.size("text/event-stream")).toBe(2);
  expect(await memory.size("application/json")).toBe(2);
});

test("a half-closed socket counts as a hang-up", async () => {
  let aborted = false;
  const model = new ScriptedModel(async (_, { signal }) => {
    await once(signal, "abort");
    aborted = true;
    return "too late";
  });
  const { port, memory } = await serve({ model });
  const wire = await Wire.open(port, { allowHalfOpen: true });
  wire.socket.write(rawChat("alice"));
  await eventually(() => model.requests.length === 1);
  wire.socket.end();
  await wire.closed();
  await eventually(() => aborted);
  expect(await memory.size("alice")).toBe(0);
});

test("1,000 clients that hang up leave nothing behind, and all others are answered", async () => {
  const model = new ScriptedModel(({ messages }, { signal }) =>
    messages.at(-1)?.content === "Hi" ? once(signal, "abort").then(() => "late") : "here",
  );
  const served = await serve({ model, memory: new InMemory() });
  const wires: Wire[] = [];
  for (let index = 0; index < 1000; index++) {
    const wire = await Wire.open(served.port);
    wire.socket.write(rawChat(`user-${index}`));
    wires.push(wire);
  }
  await eventually(() => model.requests.length === 1000);
  expect((await chat(served, "bob", "Are you there?")).json.reply).toBe("here");
  for (const [index, { socket }] of wires.entries())
    if (index % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  await eventually(() => served.log.length === 1001);
  expect(served.log.filter(({ status }) => status === 499)).toHaveLength(1000);
  expect(await served.memory.users()).toHaveLength(1);
  expect((await chat(served, "bob", "Still?")).json.reply).toBe("here");
});

test("pipelined requests are aborted with their socket", async () => {
  const model = new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "late"));
  const { port, log } = await serve({ model });
  const wire = await Wire.open(port);
  wire.socket.write(["alice", "bob", "carol"].map((user) => rawChat(user)).join(""));
  await eventually(() => model.requests.length === 3);
  wire.socket.destroy();
  await eventually(() => log.length === 3);
  expect(log.map(({ status }) => status)).toEqual([499, 499, 499]);
});

test("any invalid body is answered with a short JSON error and stores nothing", async () => {
  const { url, memory } = await serve();
  const notGood = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: "binary" }),
    fc.json(),
    fc
      .record(
        {
          user_id: fc.oneof(fc.jsonValue(), fc.constant("alice")),
          message: fc.jsonValue().filter((value) => typeof value !== "string"),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(notGood, async (body) => {
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      const { status, json } = await ask(`${url}/chat`, { body: bytes });
      expect(status).toBe(400);
      expect(Object.keys(json)).toEqual(["error", "code"]);
      expect(json.error.length).toBeLessThan(300);
    }),
    { numRuns: 200 },
  );
  expect(await memory.users()).toEqual([]);
});

test("bytes that are not HTTP cost only their own socket", async () => {
  const served = await serve();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), async (bytes) => {
      const wire = await Wire.open(served.port);
      wire.socket.end(Buffer.concat([bytes, Buffer.from("\r\n\r\n\r\n")]));
      await wire.closed();
      expect(wire.received).not.toContain("HTTP/1.1 2");
    }),
    { numRuns: 100 },
  );
  expect((await get(`${served.url}/healthz`)).status).toBe(200);
});

test("closing lets current requests end, refuses new ones, and then aborts the rest", async () => {
  let answer!: () => void;
  const model = new ScriptedModel(async ({ messages }, { signal }) => {
    if (messages.at(-1)?.content === "stay") return once(signal, "abort").then(() => "late");
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return "in time";
  });
  const { url, port, server, memory } = await serve({ model, timeouts: { drain: 300 } });
  const quick = chat({ url }, "alice", "quick");
  const stay = chat({ url }, "bob", "stay");
  const kept = await Wire.open(port);
  kept.socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await kept.until(/ok/);
  await eventually(() => model.requests.length === 2);
  const closed = server.close();
  await expect(chat({ url }, "carol", "Hi")).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/);
  answer();
  expect(await quick).toMatchObject({ status: 200, json: { reply: "in time" } });
  expect(await stay).toMatchObject({ status: 503, json: { code: "SHUTTING_DOWN" } });
  await closed;
  await kept.closed();
  expect([await memory.size("alice"), await memory.size("bob")]).toEqual([2, 0]);
});

test("a second close ends at once", async () => {
  const model = new ScriptedModel((_, { signal }) => once(signal, "abort").then(() => "late"));
  const { url, server } = await serve({ model, timeouts: { drain: 1e6 } });
  const asked = chat({ url }, "alice", "Hi");
  await eventually(() => model.requests.length === 1);
  const closed = server.close();
  void server.close({ now: true });
  expect((await asked).status).toBe(503);
  await closed;
});
