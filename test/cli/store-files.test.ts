import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BIN, Cli, type CliResult, documentIn } from "../support/cli.js";

const storeFiles = (home: string) => readdirSync(home).filter((name) => name.startsWith("chat.db"));

describe("the memory file", () => {
  it("stands alone once the last process that used it has ended", async () => {
    const cli = new Cli();
    for (const args of [
      ["ask", "hi", "--no-stdin"],
      ["size"],
      ["users"],
      ["export"],
      ["context"],
      ["clear", "-y"],
    ]) {
      expect(await cli.spawn(args)).toMatchObject({ code: 0 });
      expect([args, storeFiles(cli.home)]).toEqual([args, ["chat.db"]]);
    }
    expect(await cli.spawn([], { input: "hi\n" })).toMatchObject({ code: 0 });
    expect(storeFiles(cli.home)).toEqual(["chat.db"]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("stands alone after %s too", async (signal) => {
    const cli = new Cli();
    const server = cli.start(["serve", "--port", "0"]);
    await server.shows("Listening on", "stderr");
    expect(await cli.spawn(["size"])).toMatchObject({ code: 0 });
    server.child.kill(signal);
    await server.result;
    expect(storeFiles(cli.home)).toEqual(["chat.db"]);
  });
});

/** Runs the executable where no file may grow beyond so many blocks of 1024 bytes. */
async function spawnWithin(blocks: number, cli: Cli, args: readonly string[]): Promise<CliResult> {
  const command = `ulimit -f ${blocks}; exec "$0" "$@"`;
  const child = spawn("bash", ["-c", command, process.execPath, BIN, ...args], {
    env: { ...process.env, AGNO_CHAT_HOME: cli.home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = await once(child, "close");
  return { code: code as number, stdout, stderr };
}

// Windows knows no limit for the size of files.
describe.skipIf(process.platform === "win32")("on a full disk", () => {
  it("a stored run is never told as failed, and a failed one was never stored", async () => {
    const cli = new Cli();
    await cli.spawn(["ask", "-u", "filler"], { input: "x".repeat(150_000) });
    const room = Math.ceil(statSync(join(cli.home, "chat.db")).size / 1024) + 8;
    const codes = [];
    let acknowledged = 0;
    for (let round = 0; round < 14; round += 1) {
      const result = await spawnWithin(room, cli, [
        ...[
          "ask",
          `${round} ${"x".repeat(2000)}`,
          "-u",
          "alice",
          "-m",
          "demo",
          "--json",
          "--no-stdin",
        ],
      ]);
      const document = documentIn(result);
      codes.push(result.code);
      if (result.code === 0) acknowledged += 1;
      else
        expect(document.error).toMatchObject({
          code: "STORE_FAILED",
          message: expect.stringContaining("full"),
        });
      expect(document.ok).toBe(result.code === 0);
      expect(result.stderr).toBe("");
    }
    expect(new Set(codes)).toEqual(new Set([0, 4]));
    const size = documentIn(await cli.spawn(["size", "-u", "alice", "--json"]));
    expect(size).toMatchObject({ messages: 2 * acknowledged });
    expect(storeFiles(cli.home)).toEqual(["chat.db"]);
  });
});
