import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN, Cli } from "../support/cli.js";
import {
  chunk,
  event,
  ModelServer,
  type Reply,
  silence,
  stalled,
  streamedText,
} from "../support/model-server.js";

let server: ModelServer;
let cli: Cli;

beforeEach(async () => {
  server = await ModelServer.start(streamedText("Hello."));
  cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m" });
  await cli.run(["ask", "Hi"]);
});

afterEach(() => server.close());

const messages = async () => (await cli.json(["export"])).messages;

describe.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
  ["SIGQUIT", 131],
] as const)("%s", (signal, code) => {
  it(`in mid-reply ends a process with ${code}; what was shown is kept and marked`, async () => {
    server.reply(stalled(chunk({ content: "Half a reply" })));
    const started = cli.start(["ask", "And now?", "--no-stdin"]);
    await started.shows("Half a reply");
    started.child.kill(signal);
    expect(await started.result).toEqual({
      code,
      signal: null,
      stdout: "Half a reply\n",
      stderr: "",
    });
    await server.hungUp();
    expect((await messages()).slice(2)).toMatchObject([
      { role: "user", content: "And now?" },
      { role: "assistant", content: "Half a reply", interrupted: true },
    ]);
    server.reply(streamedText("Yes."));
    expect(await cli.run(["ask", "Go on"])).toMatchObject({ code: 0, stdout: "Yes.\n" });
    expect(JSON.stringify(server.requests.at(-1)?.body)).not.toContain("interrupted");
  });

  it("before the first word stores nothing", async () => {
    server.reply(silence());
    const started = cli.begin(["ask", "And now?"]);
    await server.nextRequest();
    started.emit(signal);
    expect(await started.result).toEqual({ code, stdout: "", stderr: "" });
    expect(await messages()).toHaveLength(2);
  });

  it("with --json is one document all the same, and nothing is stored", async () => {
    server.reply(stalled(chunk({ content: "Half a reply" })));
    const started = cli.begin(["ask", "And now?", "--json"]);
    await server.nextRequest();
    started.emit(signal);
    const { stdout, ...rest } = await started.result;
    expect(rest).toEqual({ code, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
    expect(await messages()).toHaveLength(2);
  });
});

describe("a reader that closes the pipe", () => {
  it.each([
    ["export", "head -c 1"],
    ["users", "true"],
    ["--help", "head -n 1"],
  ])("agno-chat %s | %s is silent", async (args, reader) => {
    await cli.run(["ask"], { input: "x".repeat(300_000) });
    const { code, stderr } = await shell(`"$NODE" "$BIN" ${args} | ${reader} > /dev/null`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("in mid-reply ends the run, and what it was shown is kept", async () => {
    server.reply(endless);
    const { code, stderr } = await shell(`"$NODE" "$BIN" ask Hi --no-stdin | head -n 1`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await server.hungUp();
    expect((await messages()).at(-1)).toMatchObject({
      content: expect.stringMatching(/^word\n/),
      interrupted: true,
    });
  });
});

it.runIf(existsSync("/dev/full"))(
  "a full disk under stdout is one line and exit code 4",
  async () => {
    const { code, stderr } = await shell(`"$NODE" "$BIN" export > /dev/full`);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: "agno-chat: Cannot write the output: no space left on device (ENOSPC).\n",
    });
  },
);

/** Sends a word now and then until the client disconnects. */
const endless: Reply = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const words = setInterval(() => response.write(event(chunk({ content: "word\n" }))), 5);
  response.on("close", () => clearInterval(words));
};

async function shell(line: string): Promise<{ code: number; stderr: string }> {
  const child = spawn("sh", ["-c", line], {
    env: {
      ...process.env,
      NODE: process.execPath,
      BIN,
      AGNO_CHAT_HOME: cli.home,
      OPENAI_BASE_URL: server.url,
      AGNO_CHAT_MODEL: "m",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const [code] = await once(child, "close");
  return { code, stderr };
}
