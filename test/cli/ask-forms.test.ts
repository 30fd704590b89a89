import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cli, type CliResult, documentIn } from "../support/cli.js";
import {
  chunk,
  cut,
  ModelServer,
  stalled,
  status,
  streamed,
  streamedCalls,
  streamedText,
} from "../support/model-server.js";

let server: ModelServer;
let cli: Cli;
beforeEach(async () => {
  server = await ModelServer.start();
  cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m", AGNO_CHAT_USER: "alice" });
});
afterEach(() => server.close());

describe("ask -x", () => {
  const answer = (content: string) => server.reply(streamed(chunk({ content }), chunk({}, "stop")));

  it.each([
    [
      "First:\n```js\nlet a;\n```\nor\n```js\nlet b;\n\n  let c;\n```\nDone.",
      "let b;\n\n  let c;\n",
    ],
    ["1. Run this:\n\n   ```sh\n   ls\n   ```\n\n2. Done.", "ls\n"],
    ["~~~~\n```\nnot a fence\n```\n~~~~", "```\nnot a fence\n```\n"],
    ["```py\nprint(1)", "print(1)\n"],
    ["> ```\n> quoted\n> ```", "quoted\n"],
    ["```\n```", "\n"],
  ])("prints of %j the last code block alone", async (reply, code) => {
    answer(reply);
    expect(await cli.run(["ask", "-x", "Write it"])).toEqual({ code: 0, stdout: code, stderr: "" });
  });

  it("prints the whole answer if it has no code block, and says so on stderr", async () => {
    answer("echo hello");
    expect(await cli.run(["ask", "--extract", "Write it"])).toEqual({
      code: 0,
      stdout: "echo hello\n",
      stderr: "The answer has no code block, so this is all of it.\n",
    });
  });

  it("stores the whole answer, and says when it was cut", async () => {
    server.reply(streamed(chunk({ content: "So:\n```\nls\n```" }), chunk({}, "length")));
    expect(await cli.run(["-p", "Write it", "-x"])).toEqual({
      code: 0,
      stdout: "ls\n",
      stderr: "The reply was cut at the model's token limit.\n",
    });
    const { messages } = await cli.json(["export"]);
    expect(messages[1].content).toBe("So:\n```\nls\n```");
  });

  it("removes escape sequences from the code, unless --raw keeps them", async () => {
    answer("```\nred \u001b[31m\n```");
    expect((await cli.run(["ask", "-x", "Write it"])).stdout).toBe("red \n");
    expect(await cli.run(["ask", "-x", "--raw", "Write it"])).toEqual({
      code: 0,
      stdout: "red \u001b[31m\n",
      stderr: "Raw output: the model's text can control your terminal.\n",
    });
  });
});

describe("ask --stream-json", () => {
  const linesOf = ({ stdout }: CliResult) =>
    stdout.split(/\n(?!$)/).map((line) => JSON.parse(line));

  it("prints each event of the run as a line of JSON, the last one with all that --json has", async () => {
    const notes = { name: "remember", arguments: { text: "milk" } };
    server.reply(streamedCalls(notes), streamedText("Noted it."));
    const args = ["ask", "--stream-json", "Note milk", "--tools", "notes"];
    const result = await cli.run(args);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
    const runId = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const named = { toolCallId: "call_0", name: "remember" };
    expect(linesOf(result)).toEqual([
      { type: "run-start", runId, user: "alice", session: "default", model: "m" },
      { type: "tool-call", ...named, arguments: '{"text":"milk"}' },
      {
        type: "tool-result",
        ...named,
        content: '{"remembered":"milk"}',
        isError: false,
        durationMs: expect.any(Number),
      },
      { type: "text-delta", text: "Noted " },
      { type: "text-delta", text: "it." },
      {
        type: "run-end",
        ok: true,
        user: "alice",
        session: "default",
        model: "m",
        reply: "Noted it.",
        finishReason: "stop",
        usage: expect.objectContaining({ estimated: true }),
        runId,
      },
    ]);
  });

  it("prints the text while the reply is still coming", async () => {
    server.reply(stalled(chunk({ content: "Half" })));
    const started = cli.begin(["ask", "--stream-json", "Hello"]);
    await started.stdout.shows('{"type":"text-delta","text":"Half"}\n');
    started.emit("SIGINT");
    const result = await started.result;
    expect(result.code).toBe(130);
    expect(linesOf(result).at(-1)).toMatchObject({
      type: "error",
      ok: false,
      error: { code: "CANCELLED", stored: true },
    });
  });

  it("ends a run that fails with an error, and tells of every retry", async () => {
    server.reply(status(503, "", { "retry-after": "0" }), cut(chunk({ content: "Half" })));
    const result = await cli.run(["ask", "--stream-json", "Hello"]);
    expect(result.code).toBe(4);
    expect(linesOf(result).map(({ type }) => type)).toEqual([
      "run-start",
      "retry",
      "text-delta",
      "error",
    ]);
    expect(result.stderr).toBe("");
  });

  it.each([
    [["ask", "--stream-json", " "], 2, "INVALID_INPUT"],
    [["ask", "--stream-json", "Hi", "--nonsense"], 2, "USAGE"],
    [["ask", "--stream-json", "Hi", "-u", ""], 2, "INVALID_USER_ID"],
  ])("%j is one error event", async (args, code, errorCode) => {
    const result = await cli.run(args);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code, stderr: "" });
    expect(linesOf(result)).toEqual([
      { type: "error", ok: false, error: expect.objectContaining({ code: errorCode }) },
    ]);
  });

  it("prints no character that a terminal obeys", async () => {
    server.reply(streamed(chunk({ content: "\u001b[2J\u009b2J\u202e" }), chunk({}, "stop")));
    const { stdout } = await cli.run(["ask", "--stream-json", "Hi"]);
    expect(stdout).toMatch(/^[\n\x20-\x7e]+$/);
    expect(stdout).toContain("\\u001b[2J\\u009b2J\\u202e");
  });
});

describe("ask --schema", () => {
  const person = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
  const fileWith = (text: string): string => {
    const file = join(cli.home, "schema.json");
    writeFileSync(file, text);
    return file;
  };
  const ask = (...more: readonly string[]) =>
    cli.run(["ask", "Who?", "--schema", fileWith(JSON.stringify(person)), ...more]);

  it("prints the JSON that was checked as one line, whatever the model put around it", async () => {
    server.reply(
      streamed(chunk({ content: '```json\n{ "name": "A\u202e" }\n```' }), chunk({}, "stop")),
    );
    const stdout = '{"name":"A\\u202e"}\n';
    expect(await ask()).toEqual({ code: 0, stdout, stderr: "" });
    const { messages } = await cli.json(["export"]);
    expect(messages[1].content).toBe('```json\n{ "name": "A\u202e" }\n```');
  });

  it("asks once more for a reply that does not fit, and says so on stderr", async () => {
    server.reply(streamedText("Alice"), streamedText('{"name": "Alice"}'));
    expect(await ask()).toEqual({
      code: 0,
      stdout: '{"name":"Alice"}\n',
      stderr: "· The reply does not fit the schema: it is not JSON. Asking once more.\n",
    });
  });

  it("ends with 5 when the model cannot, and stores nothing", async () => {
    server.reply(streamedText("Alice"));
    const { code, stdout, stderr } = await ask("-q");
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toBe(
      "agno-chat: The reply of m does not fit the JSON Schema: it is not JSON. Use a model that keeps to schemas, or a simpler schema.\n",
    );
    expect(await cli.json(["size"])).toMatchObject({ messages: 0 });
    expect(await ask("--model", "demo")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("The demo model cannot reply in JSON."),
    });
  });

  it("with --json and --stream-json gives the value beside the reply", async () => {
    server.reply(streamedText('{"name": "Alice"}'));
    const answer = { reply: '{"name": "Alice"}', value: { name: "Alice" } };
    expect(documentIn(await ask("--json"))).toMatchObject(answer);
    const { stdout } = await ask("--stream-json");
    expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      type: "run-end",
      ...answer,
    });
  });

  it.each([
    ["[]", 'schema.json" holds no JSON object.'],
    ["{", 'schema.json" holds no JSON object.'],
    ['{"type": "strng"}', "The JSON Schema is not valid: type must be equal to one of"],
    ['{"$ref": "#/nope"}', "The JSON Schema is not valid: can't resolve reference #/nope"],
  ])("refuses a file with %s in one line, before stdin is read", async (text, message) => {
    const started = cli.begin(["ask", "--schema", fileWith(text)], { input: new PassThrough() });
    const { code, stdout, stderr } = await started.result;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("reads a file with a byte order mark, and names one that is missing", async () => {
    server.reply(streamedText("7"));
    const args = ["ask", "Hi", "--schema", fileWith('\ufeff{"type": "integer"}')];
    expect(await cli.run(args)).toEqual({ code: 0, stdout: "7\n", stderr: "" });
    expect(await cli.run(["ask", "Hi", "--schema", "/no/such"])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'agno-chat: Cannot read the JSON Schema "/no/such": no such file or directory (ENOENT).\n',
    });
  });
});

describe("flags of ask that contradict each other", () => {
  it.each([
    [["--stream-json", "--json"], "--stream-json does not go with --json."],
    [["-x", "--json"], "-x does not go with --json."],
    [["--raw", "--json"], "--raw does not go with --json."],
    [["--stream-json", "-x"], "-x does not go with --stream-json."],
    [["-x", "--schema", "s"], "--schema does not go with -x."],
    [["--raw", "--schema", "s"], "--schema does not go with --raw."],
    [["-i", "--schema", "s"], "-i does not go with --schema."],
    [["-i", "-x"], "-i does not go with -x."],
    [["-i", "--raw"], "-i does not go with --raw."],
    [["-i", "--json"], "-i does not go with --json."],
  ])("%j is refused before anything is asked", async (flags, message) => {
    const { code, stdout, stderr } = await cli.run(["ask", "Hi", ...flags]);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(message);
    expect((stdout + stderr).trimEnd().split("\n")).toHaveLength(1);
    expect(server.requests).toEqual([]);
  });
});

it("ask -i without a terminal is refused, because nobody could go on", async () => {
  expect(await cli.run(["ask", "-i", "Hi"])).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "agno-chat: -i stays in the chat, and stdin is not a terminal. Without -i, ask answers once.\n",
  });
});
