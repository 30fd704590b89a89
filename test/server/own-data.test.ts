import { expect, test } from "vitest";
import type { Memory } from "../../src/memory/memory.js";
import { userMessage } from "../../src/messages.js";
import { ask, chat, get, serve } from "./support.js";

test("history, size and export show only the user's own data", async () => {
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

test("search finds words of the user's own, in one session or all, since a time", async () => {
  const served = await serve();
  const { url, memory } = served;
  await memory.add(userMessage("A zebra"), "alice");
  await memory.add(userMessage("Zebras at work"), "alice", { sessionId: "work" });
  await memory.add(userMessage("bob's zebra"), "bob");
  const found = async (query: string) => (await get(`${url}/search?user_id=alice&${query}`)).json;
  expect(await found("q=ZEBRA")).toEqual({
    user_id: "alice",
    found: 2,
    hits: [
      {
        ...{ id: 1, runId: expect.any(String), sessionId: "default", role: "user" },
        createdAt: expect.any(String),
        excerpt: [{ text: "A " }, { text: "zebra", isMatch: true }],
      },
      expect.objectContaining({ id: 2, sessionId: "work" }),
    ],
  });
  expect((await found("q=zebra&limit=1")).hits).toHaveLength(1);
  expect(await found("q=zebra&session_id=work")).toMatchObject({ found: 1 });
  expect(await found("q=zebra&since=2000-01-01")).toMatchObject({ found: 2 });
  expect(await found("q=zebra&since=2999-01-01T00:00:00Z")).toMatchObject({ found: 0, hits: [] });
  for (const query of ["", "q=", "q=a&q=b", "q=a&limit=0", "q=a&since=soon", "q=a&words=b"]) {
    const refused = await get(`${url}/search?user_id=alice&${query}`);
    expect([query, refused.status]).toEqual([query, 400]);
  }
});

test("export holds the session state", async () => {
  const { url, memory } = await serve();
  await memory.add([], "alice", { sessionId: "work", state: { mood: "good" } });
  const { json } = await get(`${url}/export?user_id=alice`);
  expect(json.state).toEqual({ work: { mood: "good" } });
});

interface Page {
  readonly messages: readonly { readonly id: number; readonly content: string }[];
  readonly more: boolean;
}

const pageOf = async (url: string, query: string): Promise<Page> =>
  (await get(`${url}/history?user_id=alice${query}`)).json;

const said = ({ messages }: Page): string[] => messages.map(({ content }) => content);

async function remember(memory: Memory, texts: readonly string[]): Promise<void> {
  await memory.add(texts.map(userMessage), "alice");
}

test("history pages backward from its end, and forward from any message", async () => {
  const { url, memory } = await serve();
  await remember(memory, ["1", "2", "3", "4", "5"]);
  const last = await pageOf(url, "&limit=2");
  expect([said(last), last.more]).toEqual([["4", "5"], true]);
  const earlier = await pageOf(url, `&limit=3&before=${last.messages[0]?.id}`);
  expect([said(earlier), earlier.more]).toEqual([["1", "2", "3"], false]);
  const first = await pageOf(url, "&limit=3&after=0");
  expect([said(first), first.more]).toEqual([["1", "2", "3"], true]);
  const rest = await pageOf(url, `&limit=3&after=${first.messages[2]?.id}`);
  expect([said(rest), rest.more]).toEqual([["4", "5"], false]);
  expect(await pageOf(url, "&limit=0")).toMatchObject({ messages: [], more: true });
});

test("history has 100 messages by default, and 1,000 at most", async () => {
  const { url, memory } = await serve();
  await remember(
    memory,
    Array.from({ length: 1001 }, (_, index) => String(index)),
  );
  expect(said(await pageOf(url, "")).join()).toMatch(/^901,.*,1000$/);
  expect(said(await pageOf(url, "&limit=1000")).join()).toMatch(/^1,.*,1000$/);
  const refused = await get(`${url}/history?user_id=alice&limit=1001`);
  expect(refused).toMatchObject({ status: 400, json: { code: "INVALID_INPUT" } });
  expect(refused.json.error).toContain("/export");
});

test("a page of long messages ends early, and the pages together are the history", async () => {
  const { url, memory } = await serve();
  const long = Array.from({ length: 40 }, (_, index) => `${index} ${"x".repeat(100_000)}`);
  await remember(memory, long);
  for (const direction of ["before", "after"] as const) {
    const pages: string[][] = [];
    for (let cursor = direction === "before" ? 1e9 : 0, more = true; more; ) {
      const page = await pageOf(url, `&limit=40&${direction}=${cursor}`);
      pages.push(said(page));
      more = page.more;
      cursor = page.messages.at(direction === "before" ? 0 : -1)?.id ?? 0;
    }
    expect(pages.length).toBeGreaterThan(2);
    expect((direction === "before" ? pages.reverse() : pages).flat()).toEqual(long);
  }
});

test("a session can be read and cleared on its own", async () => {
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
  "?user_id=a&after=x",
])("400 for /history%s", async (query) => {
  const { url } = await serve();
  expect((await get(`${url}/history${query}`)).status).toBe(400);
});

test("health and readiness need no user; a failing memory is not ready", async () => {
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
  for (const wrong of ["session=work", "sessionId=work", "format=md", "before=2", "limit=1"]) {
    const refused = await ask(`${url}/history?user_id=alice&${wrong}`, { method: "DELETE" });
    expect([refused.status, refused.json.code]).toEqual([400, "INVALID_INPUT"]);
  }
  expect((await get(`${url}/size?user_id=alice`)).json.messages).toBe(2);
});
