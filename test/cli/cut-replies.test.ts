import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Cli } from "../support/cli.js";
import { chunk, ModelServer, streamed, streamedCalls } from "../support/model-server.js";

const REMARK = "The reply was cut at the model's token limit.\n";

const cutReply = streamed(chunk({ content: "Once upon" }), chunk({}, "length"));

let server: ModelServer;
let cli: Cli;
beforeEach(async () => {
  server = await ModelServer.start(cutReply);
  cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m", AGNO_CHAT_USER: "alice" });
});
afterEach(() => server.close());

it("ask says on stderr that a reply was cut, and only then", async () => {
  expect(await cli.run(["ask", "Tell"])).toEqual({
    code: 0,
    stdout: "Once upon\n",
    stderr: REMARK,
  });
  server.reply(streamed(chunk({ content: "The end." }), chunk({}, "stop")));
  expect(await cli.run(["ask", "Tell"])).toEqual({ code: 0, stdout: "The end.\n", stderr: "" });
});

it("ask --json says why every reply ended", async () => {
  const result = await cli.run(["ask", "Tell", "--json"]);
  expect(JSON.parse(result.stdout)).toMatchObject({ reply: "Once upon", finishReason: "length" });
  expect(result.stderr).toBe(REMARK);
  server.reply(streamed(chunk({ content: "The end." }), chunk({}, "stop")));
  expect(await cli.json(["ask", "Tell"])).toMatchObject({ finishReason: "stop" });
});

it("a script says it, whether run or piped in", async () => {
  const script = join(cli.home, "tell.chat");
  writeFileSync(script, "Tell\n?equals Once upon\n");
  const ran = await cli.run(["run", script]);
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining(REMARK) });
  expect(await cli.run([], { input: "Tell\n" })).toMatchObject({ code: 0, stderr: REMARK });
});

it("export, /history and /export tell which replies were cut", async () => {
  await cli.run(["ask", "Tell"]);
  const [, message] = JSON.parse((await cli.run(["export"])).stdout).messages;
  expect(message).toMatchObject({ content: "Once upon", finishReason: "length" });
  const lines = (await cli.run(["export", "--format", "jsonl"])).stdout.trim().split("\n");
  expect(JSON.parse(lines[1] as string)).toEqual(message);
  const { stdout } = await cli.run(["export", "--format", "md"]);
  expect(stdout).toContain("## assistant, cut at the token limit · ");
  const typed = await cli.run([], { input: "/history\n/export\n" });
  expect(typed.stdout).toContain("assistant: Once upon [cut at the token limit]");
  expect(typed.stdout).toContain("## assistant, cut at the token limit · ");
});

it("an empty reply is a failure in every mode of the command line", async () => {
  server.reply(streamed(chunk({ content: "" }), chunk({}, "stop")));
  const asked = await cli.run(["ask", "Tell"]);
  expect(asked).toMatchObject({ code: 4, stdout: "" });
  expect(asked.stderr).toMatch(/^agno-chat: .*empty reply.*\n$/);
  const document = await cli.json(["ask", "Tell"]);
  expect(document).toMatchObject({ ok: false, error: { code: "MODEL_BAD_RESPONSE" } });
  expect((await cli.run([], { input: "Tell\n" })).code).toBe(4);
  expect(await cli.json(["size"])).toMatchObject({ messages: 0 });
});

it("an empty reply after tool calls is reported, and the run is kept", async () => {
  const nothing = streamed(chunk({}, "stop"));
  server.reply(streamedCalls({ name: "remember", arguments: { text: "milk" } }), nothing);
  const { code, stdout, stderr } = await cli.run(["ask", "Note milk", "--tools", "notes"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toMatch(/^· remember .*\nThe model used its tools and said nothing more\.\n$/);
  expect(await cli.json(["size"])).toMatchObject({ messages: 4 });
});
