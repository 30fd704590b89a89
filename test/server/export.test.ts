import { once } from "node:events";
import http from "node:http";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { GetMessagesOptions, Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { cpuTime } from "../support/cpu-time.js";
import { cleanUp, eventually, get, serve, temporaryFolder, Wire } from "./support.js";

/** Counts how often it is read. */
class CountingMemory extends InMemory {
  reads = 0;

  override getMessages(userId?: string, options?: GetMessagesOptions) {
    this.reads += 1;
    return super.getMessages(userId, options);
  }
}

async function fill(memory: Memory, messages: number): Promise<void> {
  const batch = Array.from({ length: 500 }, (_, index) => [
    userMessage(`What about number ${index}? ${"So many words. ".repeat(6)}`),
    assistantMessage(`That is number ${index}. ${"So many more words. ".repeat(6)}`),
  ]).flat();
  for (let added = 0; added < messages; added += batch.length) await memory.add(batch, "alice");
}

const REQUEST = "GET /export?user_id=alice HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("an export stops reading and disconnects a client that does not read", async () => {
  const memory = new CountingMemory();
  await fill(memory, 50_000);
  const { port, log } = await serve({ memory, timeouts: { reader: 100 } });
  const wire = await Wire.open(port);
  wire.socket.pause();
  wire.socket.write(REQUEST);
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ path: "/export", status: 499, code: "CANCELLED" });
  expect(memory.reads).toBeLessThan(200);
});

test("an export stops reading when its client hangs up", async () => {
  const memory = new CountingMemory();
  await fill(memory, 50_000);
  const { port, log } = await serve({ memory });
  const wire = await Wire.open(port);
  wire.socket.write(REQUEST);
  await wire.until(/"messages"/);
  wire.socket.destroy();
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 499, code: "CANCELLED" });
  const { reads } = memory;
  await nextTurn();
  expect(memory.reads).toBe(reads);
  expect(reads).toBeLessThan(300);
});

test("an export whose user is cleared meanwhile is cut off and logged", async () => {
  const memory = new InMemory();
  await fill(memory, 50_000);
  const { url, log } = await serve({ memory });
  const request = http.get(`${url}/export?user_id=alice`);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  memory.clear("alice");
  response.resume();
  await expect(once(response, "end")).rejects.toThrow("aborted");
  await eventually(() => log.length === 1);
  expect(log[0]).toMatchObject({ status: 200, code: "HISTORY_CLEARED" });
});

test("a memory that fails at once is answered with a status", async () => {
  const { url, memory } = await serve();
  await memory.close();
  const { status, json } = await get(`${url}/export?user_id=alice`);
  expect({ status, code: json.code }).toEqual({ status: 503, code: "STORE_CLOSED" });
});

/** The longest time without a turn of the event loop, until the promise settles. */
async function longestHold(work: Promise<unknown>): Promise<number> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  let longest = 0;
  for (let last = cpuTime(); !isDone; last = cpuTime()) {
    await nextTurn();
    longest = Math.max(longest, cpuTime() - last);
  }
  await done;
  return longest;
}

async function drained(url: string): Promise<number> {
  const [response] = (await once(http.get(url), "response")) as [http.IncomingMessage];
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  return bytes;
}

test("three exports and eight histories let other requests in between", async () => {
  const memory = new SqliteMemory(path.join(temporaryFolder(), "chat.db"));
  cleanUp(() => memory.close());
  await fill(memory, 100_000);
  const { url } = await serve({ memory });
  let answered = 0;
  let isDone = false;
  const otherRequests = (async () => {
    for (; !isDone; answered += 1) expect((await get(`${url}/size?user_id=bob`)).status).toBe(200);
  })();
  const exports = Array.from({ length: 3 }, () => drained(`${url}/export?user_id=alice`));
  const histories = Array.from({ length: 8 }, () => drained(`${url}/history?user_id=alice`));
  const longest = await longestHold(Promise.all([...exports, ...histories]));
  isDone = true;
  await otherRequests;
  const [first = 0, ...others] = await Promise.all(exports);
  expect(first).toBeGreaterThan(20_000_000);
  expect(others).toEqual([first, first]);
  // This includes the work of the test's own clients.
  expect(longest).toBeLessThan(100);
  expect(answered).toBeGreaterThan(100);
});
