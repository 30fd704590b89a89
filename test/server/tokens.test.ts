import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Tokens } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import type { Model, ModelEvent } from "../../src/models/model.js";
import { createServer } from "../../src/server/index.js";
import { freePort } from "../support/free-port.js";
import { temporaryFile } from "../support/memory-file.js";
import {
  ask,
  bearer,
  Command,
  cleanUp,
  echo,
  eventually,
  get,
  ROUTES,
  serve,
  temporaryFolder,
  twice,
} from "./support.js";

/** A server for alice and bob, each of whom has a token and a history. */
async function serveTwo(model: Model = echo()) {
  const memory = new InMemory();
  const tokens = memory.tokens as Tokens;
  const served = await serve({ memory, model, tokens });
  const [alice, bob] = [await tokens.create("alice"), await tokens.create("bob")];
  return { ...served, tokens, alice, bob };
}

describe.each(ROUTES)("%s %s", (method, path, body) => {
  test("lets nobody in without a valid token of its own in the right place", async () => {
    const { url, memory, tokens, alice, bob } = await serveTwo();
    const expired = await tokens.create("alice", { expiresIn: 0 });
    const revoked = await tokens.create("alice");
    await tokens.revoke(revoked.tokenId);
    const { token } = alice;
    const wrong: Record<string, Record<string, string>> = {
      none: {},
      empty: { authorization: "" },
      "another scheme": { authorization: `Basic ${token}` },
      "no scheme": { authorization: token },
      expired: bearer(expired.token),
      revoked: bearer(revoked.token),
      "another's secret": bearer(token.slice(0, 26) + bob.token.slice(26)),
      "its id alone": bearer(token.slice(0, 25)),
      "in capitals": bearer(token.toUpperCase()),
      "a twin of a letter": bearer(token.replace("agno", "agn\u00f6")),
      "two in one": bearer(`${token}, Bearer ${bob.token}`),
      oversized: bearer(token + "A".repeat(9_000)),
      "in a cookie": { cookie: `token=${token}; authorization=Bearer ${token}` },
      "in another header": { "x-api-key": token, "proxy-authorization": `Bearer ${token}` },
    };
    for (const [how, headers] of Object.entries(wrong)) {
      const answer = await ask(`${url}${path}`, { method, headers, body });
      const code = answer.json.code ?? answer.json.error.code;
      const wanted = path.startsWith("/v1/") ? "invalid_api_key" : "UNAUTHENTICATED";
      expect([how, answer.status, code]).toEqual([how, 401, wanted]);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      expect(answer.body).not.toContain(token.slice(26));
    }
    const query = `${path}?token=${token}&access_token=${token}&authorization=Bearer%20${token}`;
    expect((await ask(url + query, { method, body })).status).toBe(401);
    expect(await twice(url + path, { method, tokens: [token, bob.token] })).toBe(401);
    expect(await twice(url + path, { method, tokens: [token, token] })).toBe(401);
    expect(memory.users()).toEqual([]);
  });

  test("is the same through fetch", async () => {
    const memory = new InMemory();
    const tokens = memory.tokens as Tokens;
    const server = createServer({ agent: new Agent({ model: echo(), memory }), tokens });
    cleanUp(() => server.close({ now: true }));
    const { token } = await tokens.create("alice");
    const answerTo = async (authorization?: string) => {
      const headers = new Headers({ "content-type": "application/json" });
      if (authorization !== undefined) headers.append("authorization", authorization);
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
      return (await server.fetch(new Request(`http://localhost${path}`, init))).status;
    };
    expect(await answerTo()).toBe(401);
    expect(await answerTo(`Bearer ${token}, Bearer ${token}`)).toBe(401);
    expect(await answerTo(`Bearer ${token}x`)).toBe(401);
    expect(await answerTo(`bearer ${token}`)).toBe(path === "/nothing" ? 404 : 200);
  });
});

test("two people on one server reach their own data, and get one answer for anybody else's", async () => {
  const { url, memory, alice, bob } = await serveTwo();
  for (const { token, userId } of [alice, bob]) {
    const said = await ask(`${url}/chat`, {
      headers: bearer(token),
      body: { message: `I am ${userId}`, user_id: userId },
    });
    expect(said.json).toMatchObject({ user_id: userId, reply: `You said: I am ${userId}` });
    expect((await get(`${url}/history`, bearer(token))).json.messages).toHaveLength(2);
  }
  const refusals = new Set<string>();
  for (const other of ["bob", "nobody", "Alice", "alice "])
    for (const [method, path] of [
      ["GET", "/history"],
      ["GET", "/size"],
      ["GET", "/export"],
      ["DELETE", "/history"],
    ] as const) {
      const query = `user_id=${encodeURIComponent(other)}`;
      const answer = await ask(`${url}${path}?${query}`, { method, headers: bearer(alice.token) });
      expect(answer.status).toBe(other === "alice " ? 400 : 403);
      if (answer.status === 403) refusals.add(answer.body);
    }
  expect(refusals.size).toBe(1);
  expect(memory.size("bob")).toBe(2);
});

test("a token revoked on one server is refused at once by another", async () => {
  const file = temporaryFile();
  const [here, elsewhere] = [new SqliteMemory(file), new SqliteMemory(file)];
  cleanUp(() => Promise.all([here.close(), elsewhere.close()]));
  const { url } = await serve({ memory: here, tokens: here.tokens as Tokens });
  const { token, tokenId } = await (elsewhere.tokens as Tokens).create("alice");
  expect((await get(`${url}/size`, bearer(token))).status).toBe(200);
  await elsewhere.tokens?.revoke(tokenId);
  expect((await get(`${url}/size`, bearer(token))).status).toBe(401);
});

test("a token revoked while its reply is streamed ends the stream, and what was shown is kept", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  cleanUp(() => vi.useRealTimers());
  let isAsked = false;
  const model: Model = {
    name: "slow",
    async *stream(_, { signal }): AsyncGenerator<ModelEvent> {
      isAsked = true;
      yield { type: "text-delta", text: "Half of it" };
      await once(signal, "abort");
    },
  };
  const { url, memory, tokens, alice } = await serveTwo(model);
  const streamed = ask(`${url}/chat`, {
    headers: { ...bearer(alice.token), accept: "text/event-stream" },
    body: { message: "Tell me" },
  });
  await eventually(() => isAsked);
  await vi.advanceTimersByTimeAsync(5_000);
  await tokens.revoke(alice.tokenId);
  await vi.advanceTimersByTimeAsync(5_000);
  const { body } = await streamed;
  expect(body).toContain("Half of it");
  expect(body).toContain('"UNAUTHENTICATED"');
  expect((await memory.getMessages("alice")).at(-1)).toMatchObject({ interrupted: true });
});

test("many wrong tokens from an address are told to wait, and a right one is let in", async () => {
  const { url, alice } = await serveTwo();
  const guess = () => get(`${url}/size`, bearer("guess"));
  for (let count = 0; count < 20; count += 1) expect((await guess()).status).toBe(401);
  const refused = await guess();
  expect(refused).toMatchObject({ status: 429, json: { code: "TOO_MANY_ATTEMPTS" } });
  expect(refused.headers["retry-after"]).toBe("60");
  expect((await get(`${url}/size`)).status).toBe(401);
  expect((await get(`${url}/size`, bearer(alice.token))).status).toBe(200);
});

test("wrong tokens are counted for the client, not for the proxy in front", async () => {
  const memory = new InMemory();
  const tokens = memory.tokens as Tokens;
  const { url } = await serve({ memory, tokens, trustedProxies: ["127.0.0.1"] });
  const guessFrom = (address: string) =>
    get(`${url}/size`, { ...bearer("guess"), "x-forwarded-for": address });
  for (let count = 0; count < 21; count += 1) await guessFrom("192.0.2.1");
  expect((await guessFrom("192.0.2.1")).status).toBe(429);
  expect((await guessFrom("192.0.2.2")).status).toBe(401);
});

test("tokens go with no other way to let people in", () => {
  const agent = new Agent({ model: echo() });
  const tokens = new InMemory().tokens as Tokens;
  expect(() => createServer({ agent, tokens, authenticate: () => null })).toThrow("authenticate");
  expect(() => createServer({ agent, tokens, allowAnonymous: true })).toThrow("allowAnonymous");
});

describe("agno-chat", () => {
  async function run(folder: string, ...args: string[]) {
    const command = new Command(folder, args);
    const code = await command.ended;
    return { code, stdout: command.stdout, stderr: command.lines.join("\n") };
  }

  test("token create, serve --auth tokens, token list and token revoke work together", async () => {
    const folder = temporaryFolder();
    const args = ["token", "create", "--user", "alice", "--label", "laptop", "--expires", "30d"];
    const created = await run(folder, ...args);
    const token = created.stdout.trim();
    expect(token).toMatch(/^agnochat_/);
    expect(created.stderr).toMatch(
      /^Token [0-9a-f]{16} of alice, valid until 20\S+ \d\d:\d\d\. It/,
    );
    const serving = ["serve", "--auth", "tokens", "--port", "0", "--host", "0.0.0.0"];
    const server = new Command(folder, [...serving, "--model", "demo"]);
    const url = (await server.url()).replace("0.0.0.0", "127.0.0.1");
    const said = { headers: bearer(token), body: { message: "My name is Alice" } };
    expect((await ask(`${url}/chat`, said)).json.user_id).toBe("alice");
    const listed = await run(folder, "token", "list", "--json");
    const [{ id, ...rest }] = JSON.parse(listed.stdout).tokens;
    expect(rest).toMatchObject({ user: "alice", label: "laptop" });
    expect(rest.lastUsedAt).toMatch(/^20/);
    expect(listed.stdout).not.toContain(token.slice(26));
    const table = (await run(folder, "token", "list")).stdout;
    expect(table).toMatch(/ laptop( +20\d\d-\d\d-\d\d \d\d:\d\d){3}$/m);
    expect(await run(folder, "token", "revoke", id)).toMatchObject({
      code: 0,
      stderr: "Revoked 1 token.",
    });
    expect((await ask(`${url}/chat`, said)).status).toBe(401);
    expect((await run(folder, "token", "list")).stderr).toBe("There are no tokens.");
  });

  test("token revoke --user ends all tokens of one user, once confirmed", async () => {
    const folder = temporaryFolder();
    for (const user of ["alice", "alice", "bob"])
      await run(folder, "token", "create", "--user", user);
    expect(await run(folder, "token", "revoke", "--user", "alice")).toMatchObject({ code: 2 });
    const revoked = await run(folder, "token", "revoke", "--user", "alice", "--yes", "--json");
    expect(JSON.parse(revoked.stdout)).toEqual({ ok: true, revoked: 2 });
    const { stdout } = await run(folder, "token", "list");
    expect(stdout).toMatch(/^id +user .*\n[0-9a-f]{16} +bob /);
    expect(stdout).not.toContain("alice");
  });

  test.each([
    [["token"], "Known: create, list, revoke."],
    [["token", "creat"], "Did you mean create?"],
    [["token", "create"], "For example: agno-chat token create --user alice."],
    [["token", "create", "--user", "alice", "--expires", "soon"], "is not a duration"],
    [["token", "revoke"], "takes the id of a token, or --user"],
    [["token", "revoke", "0123"], 'There is no token "0123".'],
    [["serve", "--auth", "passwords"], "Use --auth tokens."],
    [["serve", "--auth", "tokens", "--allow-anonymous"], "do not go together"],
    [
      ["serve", "--auth", "tokens", "--allow-anonymous", "--metrics", "127.0.0.1:0"],
      "do not go together",
    ],
    [["serve", "--host", "0.0.0.0"], "--auth tokens"],
  ])("%j says what to do", async (args, words) => {
    const { code, stderr } = await run(temporaryFolder(), ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});

test.each([
  ["chat", "/chat"],
  ["openai", "/v1/responses"],
  ["a2a", "/a2a"],
])("verify --url --tokens shows serve --auth tokens to be isolated as %s", async (shape, path) => {
  const folder = temporaryFolder();
  const port = await freePort();
  const upstream = ["--base-url", `http://127.0.0.1:${port}/v1`, "--model", "any"];
  const server = new Command(folder, ["serve", "--auth", "tokens", "--port", "0", ...upstream]);
  const url = `${await server.url()}${path}`;
  const checking = ["verify", "--url", url, "--as", shape, "--tokens", "--upstream", `${port}`];
  const check = new Command(folder, [...checking, "--json"]);
  const code = await check.ended;
  const { verdict, findings } = JSON.parse(check.stdout);
  expect([verdict, findings, code]).toEqual(["isolated", [], 0]);
  const left = new Command(folder, ["token", "list"]);
  await left.ended;
  expect(left.lines).toEqual(["There are no tokens."]);
});
