import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UserMessage } from "../../src/messages.js";
import { Cli, documentIn } from "../support/cli.js";
import { CONTROLS } from "../support/hostile-text.js";
import {
  chunk,
  cut,
  dropped,
  ModelServer,
  type Reply,
  recorded,
  silence,
  stalled,
  status,
  streamed,
  streamedText,
} from "../support/model-server.js";

const KEY = "local-key-0123456789-never-shown";
const ESC = "\x1b";

let server: ModelServer;
let cli: Cli;

/** A home where alice has one stored run. */
beforeEach(async () => {
  server = await ModelServer.start(streamedText("Hello, Alice."));
  cli = new Cli({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: KEY, AGNO_CHAT_USER: "alice" });
  expect(await cli.run(["ask", "My name is Alice"])).toMatchObject({ code: 0 });
});

afterEach(() => server.close());

const exported = async () => (await cli.run(["export"])).stdout;

const HTML = "<!doctype html><html><title>502 Bad Gateway</title><body>secret body</body></html>";
const FAULTS: readonly (readonly [what: string, reply: Reply, exit: number, code: string])[] = [
  ["401", status(401, { error: { message: "Incorrect API key" } }), 3, "MODEL_AUTH"],
  ["403", status(403, { error: { message: "not yours" } }), 3, "MODEL_AUTH"],
  [
    "404 for the model",
    status(404, { error: { message: "model not found" } }),
    3,
    "MODEL_NOT_FOUND",
  ],
  ["429 for quota", status(429, { error: { code: "insufficient_quota" } }), 4, "MODEL_QUOTA"],
  ["400", status(400, { error: { message: "bad request" } }), 4, "MODEL_REJECTED"],
  ["501", status(501, "no"), 4, "MODEL_REJECTED"],
  ["a cut stream", cut(chunk({ content: "Hel" })), 4, "MODEL_NETWORK"],
  [
    "200 with an error",
    status(200, { error: { message: "no", type: "invalid_request" } }),
    4,
    "MODEL_REJECTED",
  ],
  [
    "200 with HTML",
    recorded(HTML, { headers: { "content-type": "text/html" } }),
    4,
    "MODEL_BAD_RESPONSE",
  ],
  ["an empty stream", streamed(), 4, "MODEL_BAD_RESPONSE"],
  ["a stream of nonsense", recorded("data: {nonsense\n\n"), 4, "MODEL_BAD_RESPONSE"],
];

describe.each(FAULTS)("%s", (_, reply, exit, code) => {
  it(`is one clear line and exit code ${exit}, leaves the history unchanged, and the next run works`, async () => {
    const before = await exported();
    server.reply(reply);
    const failed = await cli.run(["ask", "What's my name?"]);
    expect(failed.code).toBe(exit);
    expect(failed.stderr).toMatch(/^agno-chat: [^\n]{10,}\n$/);
    expect(await exported()).toBe(before);

    const result = await cli.run(["ask", "What's my name?", "--json"]);
    expect(result).toMatchObject({ code: exit, stderr: "" });
    const { ok, error } = documentIn(result);
    expect(ok).toBe(false);
    expect(error.code).toContain(code);
    expect(await exported()).toBe(before);

    server.reply(streamedText("You are Alice."));
    expect(await cli.run(["ask", "What's my name?"])).toMatchObject({
      code: 0,
      stdout: "You are Alice.\n",
    });
    expect(server.requests.at(-1)?.body.messages).toEqual([
      { role: "user", content: "My name is Alice" },
      { role: "assistant", content: "Hello, Alice." },
      { role: "user", content: "What's my name?" },
    ]);
  });
});

it("a server that fails briefly is asked again, and stderr says so", async () => {
  server.reply(status(503, "", { "retry-after": "0" }), streamedText("Here again."));
  const { code, stdout, stderr } = await cli.run(["ask", "Hi"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "Here again.\n" });
  expect(stderr).toMatch(/^· [^\n]*Trying again in [^\n]*\n$/);
});

it.each([status(500, "", { "retry-after": "0" }), status(429, "", { "retry-after": "0" })])(
  "a server that keeps failing is exit code 4, and the history as it was",
  async (reply) => {
    const before = await exported();
    server.reply(reply);
    expect(await cli.json(["ask", "Hi"])).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/MODEL_UNAVAILABLE|MODEL_RATE_LIMITED/) },
    });
    expect(await exported()).toBe(before);
  },
);

it("a refused connection names the server and the next step", async () => {
  const before = await exported();
  const gone = await ModelServer.start();
  await gone.close();
  const { code, stderr } = await cli.run(["ask", "Hi", "-m", "x"], {
    env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" },
  });
  expect(code).toBe(4);
  expect(stderr).toMatch(/^agno-chat: Nothing is listening at 127\.0\.0\.1:9\. [^\n]+\n$/);
  expect(await exported()).toBe(before);
});

it("a connection that is dropped again and again is exit code 4", async () => {
  server.reply(dropped());
  const { code, stderr } = await cli.run(["ask", "Hi", "--timeout", "10"]);
  expect(code).toBe(4);
  expect(stderr).toContain("agno-chat: ");
});

describe("--timeout", () => {
  it("ends a reply that never begins, and stores nothing", async () => {
    const before = await exported();
    server.reply(silence());
    for (const json of [[], ["--json"]]) {
      const { code, stdout, stderr } = await cli.run(["ask", "Hi", "--timeout", "0.1", ...json]);
      expect(code).toBe(4);
      expect(stdout + stderr).toContain("The answer was not complete within 0.1 s.");
    }
    await server.hungUp();
    expect(await exported()).toBe(before);
  });

  it("keeps what was shown of a reply that stalls, marked as interrupted", async () => {
    server.reply(stalled(chunk({ content: "Half a" })));
    const { code, stdout, stderr } = await cli.run(["ask", "Hi", "--timeout", "0.3"]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "Half a\n" });
    expect(stderr).toBe(
      "agno-chat: The answer was not complete within 0.3 s. What was shown is stored, marked as interrupted. Allow more with --timeout.\n",
    );
    expect((await cli.json(["export"])).messages.at(-1)).toMatchObject({
      content: "Half a",
      interrupted: true,
    });
  });

  it("with --json, where nothing was shown, stores nothing", async () => {
    const before = await exported();
    server.reply(stalled(chunk({ content: "Half a" })));
    expect(await cli.json(["ask", "Hi", "--timeout", "0.3"])).toMatchObject({
      ok: false,
      error: { code: "MODEL_TIMEOUT", stored: false },
    });
    expect(await exported()).toBe(before);
  });
});

describe("a hostile server", () => {
  const live = `${ESC}[2J${ESC}]52;c;aGk=\x07\u202eevil\r\nagno-chat: forged`;

  it.each([[[]], [["--debug"]], [["--json"]], [["--json", "--debug"]]])(
    "that echoes the key, escapes and new lines in its error shows none of them (%j)",
    async (flags) => {
      const message = `${live} Bearer ${KEY} and ${KEY}`;
      for (const reply of [
        status(401, { error: { message } }, { "x-request-id": `id-${KEY}` }),
        status(400, message),
        status(302, "", { location: `http://evil.example/?key=${KEY}` }),
        streamed({ error: { message, type: "invalid_request" } }),
      ]) {
        server.reply(reply);
        const { stdout, stderr } = await cli.run(["ask", "Hi", ...flags]);
        expect(stdout + stderr).not.toContain(KEY);
        expect(stdout + stderr).not.toMatch(CONTROLS);
        expect(
          (stdout + stderr).split("\n").filter((line) => line.startsWith("agno-chat:")),
        ).toHaveLength(flags.includes("--json") ? 0 : 1);
      }
    },
  );

  it("cannot reach the terminal with the names of its models", async () => {
    const hostile = await ModelServer.start(streamedText("x"), { models: [live, "b"] });
    for (const args of [["models"], ["ask", "Hi"], ["models", "--json"]]) {
      const { stdout, stderr } = await cli.run(args, { env: { OPENAI_BASE_URL: hostile.url } });
      expect(stdout + stderr).not.toMatch(CONTROLS);
    }
    await hostile.close();
  });
});

it("says what to do if a single message is too long, also with --json", async () => {
  const tooLong = status(400, { error: { code: "context_length_exceeded" } });
  server.reply(tooLong);
  const { code, stderr } = await cli.run(["ask", "Hello"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/too long.*even without any history.*--model/);
  const { error } = documentIn(await cli.run(["ask", "Hello", "--json"]));
  expect(error).toMatchObject({ code: "CONTEXT_TOO_LONG" });
  expect(error.hint).toContain("--model");
  const script = await cli.run(["--json"], { input: "Hello\n" });
  expect(documentIn(script).failures[0].hint).toContain("--model");
});

it("names the flags that send less when a reply breaks off because all is too long", async () => {
  const error = { code: "context_length_exceeded", message: "Too long." };
  server.reply(streamed(chunk({ content: "Half" }), { error }));
  const { code, stderr } = await cli.run(["ask", "Hello"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/too long for .*Too long\..*--history-tokens or --history/s);
});

it("sends as many tokens of the history as --history-tokens says", async () => {
  server.reply(streamedText("ok"));
  const sent = (): readonly string[] =>
    server.requests.at(-1)?.body.messages.map(({ content }: UserMessage) => content);
  await cli.run(["ask", "long ".repeat(500)]);
  await cli.run(["ask", "Second"]);
  await cli.run(["ask", "Third", "--history-tokens", "100"]);
  expect(sent()).toEqual(["Second", "ok", "Third"]);
  await cli.run(["ask", "Fourth", "--history-tokens", "0"]);
  expect(sent()).toEqual(["Fourth"]);
});

it("sends as much of the history as --history says", async () => {
  await cli.run(["ask", "Second"]);
  await cli.run(["ask", "Third", "--history", "0"]);
  const sent = server.requests.at(-1)?.body as { messages: readonly { content: string }[] };
  expect(sent.messages.map(({ content }) => content)).toEqual(["Third"]);
});
