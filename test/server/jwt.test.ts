import {
  createHmac,
  createSecretKey,
  generateKeyPair as generateKeyPairNode,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { promisify } from "node:util";
import { SignJWT } from "jose";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { createServer, type JwtOptions, jwtAuthentication } from "../../src/server/index.js";
import { ask, bearer, cleanUp, echo, eventually, get, ROUTES, serve, twice } from "./support.js";

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const ISSUER = "https://login.example/";
const NOW = () => Math.floor(Date.now() / 1000);

let rsa: KeyPair;
const ec: KeyPair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed: KeyPair = generateKeyPairSync("ed25519");
beforeAll(async () => {
  rsa = await promisify(generateKeyPairNode)("rsa", { modulusLength: 2048 });
});

const pairOf = (alg: string): KeyPair => ({ RS256: rsa, ES256: ec })[alg] ?? ed;
const pem = ({ publicKey }: KeyPair) =>
  publicKey.export({ type: "spki", format: "pem" }).toString();

interface Signing {
  readonly alg?: string;
  readonly key?: KeyObject;
  readonly kid?: string;
}

type Claims = Readonly<Record<string, unknown>>;

/** A token that is right, but for these claims; undefined leaves one out. */
function sign(claims: Claims = {}, { alg = "EdDSA", key, kid }: Signing = {}): Promise<string> {
  const right = { iss: ISSUER, aud: "chat", sub: "alice", iat: NOW(), exp: NOW() + 600 };
  return new SignJWT({ ...right, ...claims })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
    .sign(key ?? pairOf(alg).privateKey);
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** As `sign` does, with a header of the attacker's choice. */
async function forge(header: object, signature: (input: string) => string): Promise<string> {
  const [, payload] = (await sign()).split(".");
  const input = `${part(header)}.${payload}`;
  return `${input}.${signature(input)}`;
}

const hmac = (secret: string | Buffer) => (input: string) =>
  createHmac("sha256", secret).update(input).digest("base64url");

const options = (more: Partial<JwtOptions> = {}): JwtOptions => ({
  issuer: ISSUER,
  audience: "chat",
  ...(more.jwksUrl === undefined && { key: ed.publicKey }),
  ...more,
});

async function serveJwt(more: Partial<JwtOptions> = {}) {
  return serve({ memory: new InMemory(), authenticate: jwtAuthentication(options(more)) });
}

const sizeFor = async (url: string, token: string) =>
  (await get(`${url}/size`, bearer(token))).status;

/** The issuer: a server with a set of keys. */
async function issuer() {
  const state = { keys: [] as object[], reads: 0, status: 200, url: "", close: () => {} };
  const server = createHttpServer((_, response) => {
    state.reads += 1;
    response.writeHead(state.status, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: state.keys, secret: "of the issuer" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  state.url = `http://127.0.0.1:${(server.address() as { port: number }).port}/jwks.json`;
  state.close = () => {
    server.closeAllConnections();
    server.close();
  };
  cleanUp(state.close);
  return state;
}

const jwk = ({ publicKey }: KeyPair, kid: string) => ({
  ...publicKey.export({ format: "jwk" }),
  kid,
});

test.each(["RS256", "ES256", "EdDSA"])("a token signed with %s is its user", async (alg) => {
  const { keys, url: jwksUrl } = await issuer();
  keys.push(jwk(rsa, "r"), jwk(ec, "c"), jwk(ed, "d"));
  for (const key of [{ key: pairOf(alg).publicKey }, { key: pem(pairOf(alg)) }, { jwksUrl }]) {
    const { url } = await serveJwt(key);
    const kid = { RS256: "r", ES256: "c" }[alg] ?? "d";
    const said = { headers: bearer(await sign({}, { alg, kid })), body: { message: "Hi" } };
    expect((await ask(`${url}/chat`, said)).json.user_id).toBe("alice");
  }
});

describe.each(ROUTES)("%s %s", (method, path, body) => {
  test("lets nobody in without a valid token in the right place", async () => {
    const { url, memory } = await serveJwt();
    const valid = await sign();
    const [header, payload, signature] = valid.split(".");
    const [, bobs] = (await sign({ sub: "bob" })).split(".");
    const stranger = generateKeyPairSync("ed25519").privateKey;
    const none = await forge({ alg: "none" }, () => "");
    const wrong: Record<string, Record<string, string>> = {
      "no token": {},
      "not a JWT": bearer("guess"),
      "another scheme": { authorization: `Basic ${valid}` },
      "no scheme": { authorization: valid },
      "another algorithm": bearer(await sign({}, { alg: "ES256" })),
      "alg none": bearer(none),
      "alg None": bearer(await forge({ alg: "None" }, () => "")),
      "no alg": bearer(await forge({}, () => signature ?? "")),
      "HMAC with the public key": bearer(await forge({ alg: "HS256" }, hmac(pem(ed)))),
      "HMAC with the bytes of the public key": bearer(
        await forge({ alg: "HS256" }, hmac(ed.publicKey.export({ type: "spki", format: "der" }))),
      ),
      "a key of its own in the header": bearer(
        await new SignJWT({ iss: ISSUER, aud: "chat", sub: "alice", exp: NOW() + 60 })
          .setProtectedHeader({ alg: "EdDSA", jwk: jwk(ed, "own") })
          .sign(stranger),
      ),
      "a critical extension": bearer(await forge({ alg: "EdDSA", crit: ["x"], x: 1 }, () => "AA")),
      "somebody else's key": bearer(await sign({}, { key: stranger })),
      "another's claims": bearer(`${header}.${bobs}.${signature}`),
      "no signature": bearer(`${header}.${payload}.`),
      "four parts": bearer(`${valid}.AAAA`),
      expired: bearer(await sign({ exp: NOW() - 10 })),
      "no expiry": bearer(await sign({ exp: undefined })),
      "not yet valid": bearer(await sign({ nbf: NOW() + 60 })),
      "another audience": bearer(await sign({ aud: "mail" })),
      "other audiences": bearer(await sign({ aud: ["mail", "Chat"] })),
      "no audience": bearer(await sign({ aud: undefined })),
      "another issuer": bearer(await sign({ iss: "https://login.example" })),
      "no issuer": bearer(await sign({ iss: undefined })),
      "no user": bearer(await sign({ sub: undefined })),
      oversized: bearer(await sign({ more: "A".repeat(9_000) })),
      "two in one": bearer(`${valid}, Bearer ${valid}`),
      "in a cookie": { cookie: `token=${valid}; authorization=Bearer ${valid}` },
      "in another header": { "x-api-key": valid, "proxy-authorization": `Bearer ${valid}` },
    };
    const answers = new Set<string>();
    for (const [how, headers] of Object.entries(wrong)) {
      const answer = await ask(`${url}${path}`, { method, headers, body });
      expect([how, answer.status]).toEqual([how, 401]);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      answers.add(answer.body);
    }
    expect(answers.size).toBe(1);
    const query = `?token=${valid}&access_token=${valid}&authorization=Bearer%20${valid}`;
    expect((await ask(`${url}${path}${query}`, { method, body })).status).toBe(401);
    expect(await twice(url + path, { method, tokens: [valid, valid] })).toBe(401);
    expect(await memory.users()).toEqual([]);
  });

  test("is the same through fetch", async () => {
    const server = createServer({
      agent: new Agent({ model: echo() }),
      authenticate: jwtAuthentication(options()),
    });
    cleanUp(() => server.close({ now: true }));
    const valid = await sign();
    const answerTo = async (...authorizations: string[]) => {
      const headers = new Headers({ "content-type": "application/json" });
      for (const each of authorizations) headers.append("authorization", each);
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
      return (await server.fetch(new Request(`http://localhost${path}`, init))).status;
    };
    expect(await answerTo()).toBe(401);
    expect(await answerTo(`Bearer ${valid}`, `Bearer ${valid}`)).toBe(401);
    expect(await answerTo(`Bearer ${valid}x`)).toBe(401);
    expect(await answerTo(`bearer ${valid}`)).toBe(path === "/nothing" ? 404 : 200);
  });
});

test("a user reaches nobody else's data, and gets one answer for anybody's", async () => {
  const { url, memory } = await serveJwt();
  const [alice, bob] = [bearer(await sign()), bearer(await sign({ sub: "bob" }))];
  await ask(`${url}/chat`, { headers: bob, body: { message: "I am Bob" } });
  const refusals = new Set<string>();
  for (const other of ["bob", "nobody", "Alice"])
    for (const [method, path] of [
      ["GET", "/history"],
      ["GET", "/size"],
      ["GET", "/export"],
      ["DELETE", "/history"],
    ] as const) {
      const target = `${url}${path}?user_id=${other}`;
      const answer = await ask(target, { method, headers: alice });
      expect(answer.status).toBe(403);
      refusals.add(answer.body);
    }
  const chat = { headers: alice, body: { message: "Hi", user_id: "bob" } };
  expect((await ask(`${url}/chat`, chat)).status).toBe(403);
  expect(refusals.size).toBe(1);
  expect(await memory.size("bob")).toBe(2);
});

const STRANGE = [
  " alice",
  "alice\n",
  "alice\u0000",
  "ali\u200bce",
  "\u202ealice",
  "ame\u0301lie",
  "alice\ud800",
  "a".repeat(256),
];

test.each([7, null, true, ["alice"], { name: "alice" }, "", ...STRANGE])(
  "the claim %j is no user, and is not made one",
  async (sub) => {
    const { url, memory } = await serveJwt();
    const headers = bearer(await sign({ sub }));
    expect((await ask(`${url}/chat`, { headers, body: { message: "Hi" } })).status).toBe(401);
    expect(await memory.users()).toEqual([]);
  },
);

test("the user is the claim that is named, and only that one", async () => {
  const { url } = await serveJwt({ userClaim: "employee" });
  const userFor = async (claims: Claims) =>
    (await get(`${url}/size`, bearer(await sign(claims)))).json.user_id;
  expect(await userFor({ employee: "e-7" })).toBe("e-7");
  expect(await userFor({})).toBeUndefined();
  const inherited = await serveJwt({ userClaim: "constructor" });
  expect(await sizeFor(inherited.url, await sign())).toBe(401);
});

test("a token with any part changed is refused, and is never the server's fault", async () => {
  const check = jwtAuthentication(options());
  const valid = await sign();
  const head = { method: "GET", url: "/", address: "", protocol: "https" } as const;
  const raw = new Request("http://localhost");
  const userOf = (token: string) => check({ ...head, raw, headers: bearer(token) });
  expect(await userOf(valid)).toEqual({ userId: "alice" });
  // The last letter of a signature of 64 bytes has four bits that stand for nothing.
  for (let at = 0; at < valid.length - 1; at += 1)
    for (const letter of ["A", ".", valid[at] === "b" ? "c" : "b"]) {
      if (letter === valid[at]) continue;
      expect(await userOf(valid.slice(0, at) + letter + valid.slice(at + 1))).toBeNull();
    }
});

test("keys may be changed: an unknown one is looked for at once, but not more often than every 30 seconds", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  cleanUp(() => vi.useRealTimers());
  const login = await issuer();
  login.keys.push(jwk(ec, "old"));
  const { url } = await serveJwt({ jwksUrl: login.url });
  const old = () => sign({}, { alg: "ES256", kid: "old" });
  const fresh = () => sign({}, { kid: "new" });
  expect(await sizeFor(url, await old())).toBe(200);
  expect([await sizeFor(url, await fresh()), login.reads]).toEqual([401, 1]);
  vi.setSystemTime(Date.now() + 31_000);
  login.keys.splice(0, 1, jwk(ed, "new"));
  expect([await sizeFor(url, await fresh()), login.reads]).toEqual([200, 2]);
  expect([await sizeFor(url, await old()), login.reads]).toEqual([401, 2]);
});

test("an issuer that fails lets nobody in, is not the client's fault and is not described", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  cleanUp(() => vi.useRealTimers());
  const login = await issuer();
  const served = await serveJwt({ jwksUrl: login.url });
  const token = await sign({}, { kid: "d" });
  const refused = async () => {
    const answer = await ask(`${served.url}/chat`, {
      headers: bearer(token),
      body: { message: "Hi" },
    });
    expect(answer).toMatchObject({ status: 503, json: { code: "AUTH_UNAVAILABLE" } });
    expect(answer.body).not.toMatch(/secret|jwks|127\.0\.0\.1/);
    await eventually(() => served.log.length === 1);
    expect(served.log.pop()).toMatchObject({ status: 503, code: "AUTH_UNAVAILABLE" });
  };
  login.status = 500;
  await refused();
  login.status = 302;
  await refused();
  login.status = 200;
  login.keys.push(7 as never);
  await refused();
  login.keys.splice(0, 1, jwk(ed, "d"));
  expect(await sizeFor(served.url, token)).toBe(200);
  login.close();
  expect(await sizeFor(served.url, token)).toBe(200);
  served.log.splice(0);
  vi.setSystemTime(Date.now() + 601_000);
  const late = await sign({}, { kid: "d" });
  expect(await sizeFor(served.url, late)).toBe(503);
  expect(await served.memory.users()).toEqual([]);
});

const short = () => generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;

test.each<[string, () => Record<string, unknown>, string]>([
  ["no issuer", () => ({ issuer: undefined }), "issuer"],
  ["an empty issuer", () => ({ issuer: "" }), "issuer"],
  ["no audience", () => ({ audience: undefined }), "audience"],
  ["a list of audiences", () => ({ audience: ["a"] }), "audience"],
  ["an empty claim", () => ({ userClaim: "" }), "userClaim"],
  ["no keys", () => ({ key: undefined }), "either jwksUrl or key"],
  ["two kinds of keys", () => ({ jwksUrl: "https://a.example" }), "either jwksUrl or key"],
  ["keys over http", () => ({ key: undefined, jwksUrl: "http://a.example" }), "https"],
  ["a URL with a password", () => ({ key: undefined, jwksUrl: "https://a:pw@b.example" }), "https"],
  ["no URL", () => ({ key: undefined, jwksUrl: "jwks" }), "https"],
  ["a secret", () => ({ key: "secret of the server" }), "not a public key"],
  ["a secret key", () => ({ key: createSecretKey(Buffer.from("secret")) }), "does not fit"],
  ["nothing as its key", () => ({ key: null }), "not a public key"],
  ["a short key", () => ({ key: short() }), "too short"],
  ["a key of another kind", () => ({ algorithms: ["RS256"] }), "does not fit RS256"],
  ["HMAC", () => ({ algorithms: ["HS256"] }), "algorithms"],
  ["alg none", () => ({ algorithms: ["EdDSA", "none"] }), "algorithms"],
  ["no algorithm", () => ({ algorithms: [] }), "algorithms"],
  ["a text as algorithms", () => ({ algorithms: "EdDSA" }), "algorithms"],
])("%s is refused when the server is made", (_, more, words) => {
  const made = () => jwtAuthentication({ ...options(), ...more() } as JwtOptions);
  expect(made).toThrow(expect.objectContaining({ code: "USAGE" }));
  expect(made).toThrow(words);
  expect(made).not.toThrow(/secret of the server|pw/);
});
