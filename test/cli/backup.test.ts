import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openMemory } from "../../src/memory/open-memory.js";
import { userMessage } from "../../src/messages.js";
import { BIN, Cli } from "../support/cli.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { dump, fill } from "../support/store-dump.js";

let cli: Cli;
let folder: string;
let file: string;
beforeEach(async () => {
  cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  folder = join(cli.home, "backups");
  mkdirSync(folder);
  file = join(folder, "copy.db");
  await fill(`sqlite:${join(cli.home, "chat.db")}`);
});

const own = () => `sqlite:${join(cli.home, "chat.db")}`;

describe("backup", () => {
  it("copies every user into a file of their owner, which is a store like any other", async () => {
    await cli.run(["token", "create", "-u", "alice"]);
    await cli.run(["limit", "set", "-u", "bob", "--tokens-per-day", "9"]);
    const { code, stdout, stderr } = await cli.run(["backup", file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Backed up 3 users with 12 messages to \/.*copy\.db \(\d+ kB\)\.\n$/);
    expect(readdirSync(folder)).toEqual(["copy.db"]);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await dump(`sqlite:${file}`)).toEqual(await dump(own()));
    const store = ["--store", `sqlite:${file}`];
    expect((await cli.json(["token", "list", ...store])).tokens).toHaveLength(1);
    expect((await cli.json(["limit", "list", ...store])).limits ?? []).not.toEqual([]);
    await cli.run(["ask", "My name is Al", "-u", "alice", ...store]);
    expect(await cli.json(["size", "-u", "alice"])).toMatchObject({ messages: 6 });
  });

  it("with --json says what is in it", async () => {
    expect(await cli.json(["backup", file])).toEqual({
      ok: true,
      file,
      users: 3,
      messages: 12,
      bytes: statSync(file).size,
      isWhole: true,
      missing: [],
    });
  });

  it("overwrites nothing without --force, and with it keeps the old one until the new is whole", async () => {
    writeFileSync(file, "precious");
    expect(await cli.run(["backup", file])).toEqual({
      code: 2,
      stdout: "",
      stderr: `agno-chat: The file "${file}" already exists. Choose another name, or overwrite it with --force.\n`,
    });
    symlinkSync(file, join(folder, "link.db"));
    expect(await cli.run(["backup", join(folder, "link.db"), "--force"])).toMatchObject({
      code: 0,
    });
    expect(statSync(file).size).toBeGreaterThan(10_000);
    writeFileSync(join(cli.home, "chat.db"), "no memory");
    expect(await cli.run(["backup", file, "--force"])).toMatchObject({ code: 4, stdout: "" });
    expect(readdirSync(folder).sort()).toEqual(["copy.db", "link.db"]);
    expect((await cli.json(["users", "--store", `sqlite:${file}`])).users).toHaveLength(3);
  });

  it("refuses the memory file itself, and a name beside which a log is left", async () => {
    const itself = join(cli.home, "chat.db");
    expect((await cli.run(["backup", itself, "--force"])).stderr).toBe(
      "agno-chat: The new file cannot be the memory file itself. Name another file.\n",
    );
    writeFileSync(`${file}-wal`, "");
    expect(await cli.run(["backup", file])).toEqual({
      code: 2,
      stdout: "",
      stderr: `agno-chat: There is a log "${file}-wal", so a program may be using the file. Name another file.\n`,
    });
  });

  it.each([
    [["-u", "alice"], 2, 'export --user "alice" -o FILE'],
    [["--store", "memory:"], 2, "memory: keeps nothing after this process."],
    [["--store", "sqlite:/no/such.db"], 3, 'There is no memory file "/no/such.db" yet.'],
    [["extra"], 2, "Too many arguments"],
  ])("with %j is refused in one line", async (args, code, said) => {
    const result = await cli.run(["backup", file, ...args]);
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(said) });
    expect(result.stderr.trimEnd()).not.toContain("\n");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("writes to no folder and no device", async () => {
    for (const path of [folder, "/dev/null"])
      expect((await cli.run(["backup", path, "--force"])).stderr).toContain(
        "A memory is one file, and ",
      );
    expect((await cli.run(["backup", "/no/such/folder/x.db"])).stderr).toBe(
      'agno-chat: Cannot write "/no/such/folder/x.db": no such file or directory (ENOENT). ' +
        "Name a file that you can write, in a folder that is there.\n",
    );
  });

  it("leaves nothing behind when it is stopped with Ctrl-C", async () => {
    const memory = await openMemory(own());
    await memory.add(
      Array.from({ length: 2_000 }, () => userMessage("x".repeat(9_000))),
      "carol",
    );
    await memory.close();
    const started = cli.begin(["backup", file]);
    while (readdirSync(folder).length === 0) await new Promise((next) => setImmediate(next));
    started.emit("SIGINT");
    expect(await started.result).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });

  // Windows has no limit on file size.
  it.skipIf(process.platform === "win32")("says so when the disk is full", async () => {
    const memory = await openMemory(own());
    await memory.add(
      Array.from({ length: 30 }, () => userMessage("x".repeat(9_000))),
      "carol",
    );
    await memory.close();
    const limited = `ulimit -f 100; exec "$0" "$@"`;
    const child = spawn("bash", ["-c", limited, process.execPath, BIN, "backup", file], {
      env: { ...process.env, AGNO_CHAT_HOME: cli.home },
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    const [code] = await once(child, "close");
    expect({ code, said }).toEqual({
      code: 4,
      said: "agno-chat: The disk of the backup is full. Free some disk space, or choose a file on another disk.\n",
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

const server = await postgresUrl();

describe.skipIf(server === undefined)("backup of a PostgreSQL database", () => {
  it("copies every user into a memory file, and says what is not in it", async () => {
    const url = await newDatabase(server as string);
    await fill(url);
    const { code, stdout, stderr } = await cli.run(["backup", file, "--store", url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Backed up 3 users with 12 messages to /);
    expect(stderr).toBe(
      "Tokens, limits and what was used of them are not in it. For all of the database, as a superuser: pg_dump --format=custom URL\n",
    );
    expect(readdirSync(folder)).toEqual(["copy.db"]);
    expect(await dump(`sqlite:${file}`)).toEqual(await dump(url));
    expect(await cli.json(["backup", join(folder, "2.db"), "--store", url])).toMatchObject({
      ok: true,
      isWhole: false,
    });
  });
});
