import { expect, test } from "vitest";
import { ask, chat, get, serve } from "./support.js";

test("history, size and export show one user's own data and nobody else's", async () => {
  const served = await serve();
  const { url } = served;
  await chat(served, "alice", "I am Alice");
  await chat(served, "bob", "I am Bob");
  const history = await get(`${url}/history?user_id=alice`);
  expect(history.json.messages.map(({ content }: { content: string }) => content)).toEqual([
    "I am Alice",
    "You said: I am Alice",
  ]);
  const size = await get(`${url}/size?user_id=alice`);
  expect(size.json).toEqual({ user_id: "alice", messages: 2, runs: 1, bytes: expect.any(Number) });
  const all = await get(`${url}/export?user_id=alice`);
  expect(all.json).toEqual({ user_id: "alice", messages: history.json.messages, state: {} });
  for (const { body } of [history, size, all]) expect(body).not.toContain("Bob");
  expect((await get(`${url}/size?user_id=carol`)).json.messages).toBe(0);
});

test("export holds the session state", async () => {
  const { url, memory } = await serve();
  await memory.add([], "alice", { sessionId: "work", state: { mood: "good" } });
  const { json } = await get(`${url}/export?user_id=alice`);
  expect(json.state).toEqual({ work: { mood: "good" } });
});

test("history is paged from its end", async () => {
  const served = await serve();
  for (const text of ["1", "2", "3"]) await chat(served, "alice", text);
  const page = async (query: string): Promise<{ id: number; content: string }[]> =>
    (await get(`${served.url}/history?user_id=alice&limit=2${query}`)).json.messages;
  const last = await page("");
  expect(last.map(({ content }) => content)).toEqual(["3", "You said: 3"]);
  const before = await page(`&before=${last[0]?.id}`);
  expect(before.map(({ content }) => content)).toEqual(["2", "You said: 2"]);
});

test("a session can be read and cleared by itself", async () => {
  const { url } = await serve();
  for (const session_id of ["work", "home"])
    await ask(`${url}/chat`, { body: { user_id: "alice", session_id, message: session_id } });
  const sizeOf = async (query: string): Promise<number> =>
    (await get(`${url}/size?user_id=alice${query}`)).json.messages;
  expect(await sizeOf("&session_id=work")).toBe(2);
  const cleared = await ask(`${url}/history?user_id=alice&session_id=work`, { method: "DELETE" });
  expect(cleared.json).toEqual({ user_id: "alice", deleted: { messages: 2, sessions: 1 } });
  expect([await sizeOf(""), await sizeOf("&session_id=home")]).toEqual([2, 2]);
});

test.each([
  "",
  "?user_id=",
  "?user_id=a&user_id=b",
  "?user_id=%00",
  "?user_id=a&session_id=",
  "?user_id=a&limit=-1",
  "?user_id=a&limit=x",
  "?user_id=a&before=1.5",
])("400 for /history%s", async (query) => {
  const { url } = await serve();
  expect((await get(`${url}/history${query}`)).status).toBe(400);
});

test("health and readiness need no user; a memory that fails is not ready", async () => {
  const { url, memory } = await serve();
  expect((await get(`${url}/healthz`)).status).toBe(200);
  expect((await get(`${url}/readyz`)).status).toBe(200);
  await memory.close();
  expect((await get(`${url}/healthz`)).status).toBe(200);
  expect((await get(`${url}/readyz`)).status).toBe(503);
});

test("a misspelt parameter is refused, and deletes nothing", async () => {
  const served = await serve();
  const { url } = served;
  await chat(served, "alice", "Hi");
  for (const wrong of ["session=work", "sessionId=work", "format=md"]) {
    const refused = await ask(`${url}/history?user_id=alice&${wrong}`, { method: "DELETE" });
    expect([refused.status, refused.json.code]).toEqual([400, "INVALID_INPUT"]);
  }
  expect((await get(`${url}/size?user_id=alice`)).json.messages).toBe(2);
});
