import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, readdirSync, renameSync, statSync } from "node:fs";
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

/** The id of an account that is not root; undefined on Windows. */
const SOMEBODY = process.getuid?.() === 0 ? 65_534 : process.getuid?.();

const isUsable = (): boolean =>
  SOMEBODY !== undefined &&
  spawnSync(process.execPath, [BIN, "--version"], { uid: SOMEBODY, gid: SOMEBODY }).status === 0;

async function spawnAs(uid: number, cli: Cli, args: readonly string[]): Promise<CliResult> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    ...{ uid, gid: uid, encoding: "utf8", input: "" },
    env: { ...process.env, AGNO_CHAT_HOME: cli.home },
  });
  return { code: status ?? -1, stdout, stderr };
}

describe.runIf(isUsable())("a memory file that can only be read", () => {
  const uid = SOMEBODY as number;

  async function homeOfSomebody(): Promise<Cli> {
    const cli = new Cli();
    chownSync(cli.home, uid, uid);
    expect(await spawnAs(uid, cli, ["ask", "My name is Alice", "-u", "alice"])).toMatchObject({
      code: 0,
    });
    return cli;
  }

  it.each([
    ["its mode", "chat.db", 0o400],
    ["that of its folder", ".", 0o500],
  ])(
    "is read by every command that only reads, and no model is asked, because of %s",
    async (_, name, mode) => {
      const cli = await homeOfSomebody();
      const path = join(cli.home, name);
      const before = statSync(path).mode;
      chmodSync(path, mode);
      const shown: Record<string, string> = {
        size: "alice: 2 messages",
        users: "alice",
        export: "My name is Alice",
        context: "My name is Alice",
      };
      for (const [command, text] of Object.entries(shown)) {
        const result = await spawnAs(uid, cli, [
          command,
          ...(command === "users" ? [] : ["-u", "alice"]),
        ]);
        expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(text) });
      }
      const refused = await spawnAs(uid, cli, [
        "ask",
        "And now?",
        "-u",
        "alice",
        "-m",
        "demo",
        "--json",
      ]);
      expect(refused.code).toBe(4);
      expect(documentIn(refused).error).toMatchObject({
        code: "STORE_FAILED",
        message: expect.stringContaining("read-only"),
      });
      const unasked = await spawnAs(uid, cli, ["ask", "And now?", "-u", "alice", "-m", "demo"]);
      expect(unasked).toMatchObject({ code: 4, stdout: "" });
      expect(storeFiles(cli.home)).toEqual(["chat.db"]);
      chmodSync(path, before);
      expect(await spawnAs(uid, cli, ["ask", "And now?", "-u", "alice"])).toMatchObject({
        code: 0,
      });
      const size = documentIn(await spawnAs(uid, cli, ["size", "-u", "alice", "--json"]));
      expect(size).toMatchObject({ messages: 4 });
    },
  );
});

describe("serve", () => {
  it("is not ready while its memory file is away, and stores nothing meanwhile", async () => {
    const cli = new Cli();
    const server = cli.start(["serve", "--port", "0", "--json"]);
    await server.shows("}");
    const { url } = JSON.parse(server.stdout);
    const chat = () =>
      fetch(`${url}/chat`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user_id: "alice", message: "hi" }),
      });
    const ready = async () => (await fetch(`${url}/readyz`)).status;
    expect([(await chat()).status, await ready()]).toEqual([200, 200]);
    const path = join(cli.home, "chat.db");
    renameSync(path, `${path}.away`);
    expect([(await chat()).ok, await ready()]).toEqual([false, 503]);
    renameSync(`${path}.away`, path);
    expect([(await chat()).status, await ready()]).toEqual([200, 200]);
    server.child.kill("SIGTERM");
    await server.result;
    expect(await cli.json(["size", "-u", "alice"])).toMatchObject({ messages: 4 });
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

// Windows has no limit on file size.
describe.skipIf(process.platform === "win32")("on a full disk", () => {
  it.each([16, 100])("with room for %i kB the first message says so", async (room) => {
    const cli = new Cli();
    const { code, stderr } = await spawnWithin(room, cli, ["ask", "hi", "-q", "--no-stdin"]);
    const place = JSON.stringify(join(cli.home, "chat.db"));
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr:
        `agno-chat: Cannot use the memory file ${place}: the disk is full. ` +
        "Free some disk space, then try again.\n",
    });
    expect((await cli.spawn(["ask", "hi", "-q", "--no-stdin"])).code).toBe(0);
  });

  it("a stored run is never reported as failed, and a failed one is never stored", async () => {
    const cli = new Cli();
    await cli.spawn(["ask", "-u", "filler"], { input: "x".repeat(150_000) });
    const room = Math.ceil(statSync(join(cli.home, "chat.db")).size / 1024) + 8;
    const codes = [];
    let acknowledged = 0;
    for (let round = 0; round < 10; round += 1) {
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
