import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writePrivateFile } from "../../src/cli/write-file.js";
import { AgnoChatError } from "../../src/errors.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, toolMessage, userMessage } from "../../src/messages.js";
import { Cli, temporaryFolder } from "../support/cli.js";
import { CONTROLS, HOSTILE } from "../support/hostile-text.js";

async function wildHistory(): Promise<Cli> {
  const cli = new Cli();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  for (const text of HOSTILE)
    await memory.add([userMessage(text), assistantMessage(text)], "alice", {
      state: { [text]: text },
    });
  await memory.add([userMessage("not alice's")], "bob");
  await memory.close();
  return cli;
}

const contentsOf = (messages: readonly { content: string }[]) =>
  messages.map(({ content }) => content);
const EXPECTED = HOSTILE.flatMap((text) => [text, text]);

describe("on stdout", () => {
  it.each([[[]], [["--json"]], [["--format", "json"]]])(
    "as json (%j) every message and state comes back exactly, and nothing live is written",
    async (flags) => {
      const { code, stdout, stderr } = await (await wildHistory()).run([
        "export",
        "-u",
        "alice",
        ...flags,
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).not.toMatch(CONTROLS);
      const { user, session, messages, state } = JSON.parse(stdout);
      expect({ user, session }).toEqual({ user: "alice", session: null });
      expect(contentsOf(messages)).toEqual(EXPECTED);
      expect(state.default).toEqual(Object.fromEntries(HOSTILE.map((text) => [text, text])));
    },
  );

  it("as jsonl it is one message a line", async () => {
    const cli = await wildHistory();
    const { stdout } = await cli.run(["export", "-u", "alice", "--format", "jsonl"]);
    expect(stdout).not.toMatch(CONTROLS);
    const messages = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(contentsOf(messages)).toEqual(EXPECTED);
    expect(Object.keys(messages[0])).toEqual(
      expect.arrayContaining(["role", "content", "id", "runId", "sessionId", "createdAt"]),
    );
  });

  it("as md it is readable, without control sequences", async () => {
    const cli = await wildHistory();
    const { stdout } = await cli.run(["export", "-u", "alice", "--format", "md"]);
    expect(stdout).not.toMatch(CONTROLS);
    expect(stdout).toMatch(
      /^# alice\n\nExported \d{4}-\d\d-\d\d \d\d:\d\d UTC\n\n## user · \d{4}-/,
    );
    expect(stdout).toContain("世界 👩‍👩‍👧");
  });

  it("as md opens with the user, the time and the model, and names another model where it spoke", async () => {
    const cli = new Cli();
    const memory = new SqliteMemory(join(cli.home, "chat.db"));
    for (const model of ["old-model", "new-model"])
      await memory.add([userMessage("Hi"), { ...assistantMessage("Hello"), model }], "alice");
    await memory.close();
    const { stdout } = await cli.run(["export", "-u", "alice", "--format", "md"]);
    expect(stdout).toMatch(/^# alice\n\nExported [\d-]+ [\d:]+ UTC · model new-model\n/);
    expect(stdout.match(/^## [^·]+/gm)).toEqual([
      ...["## user ", "## assistant, old-model "],
      ...["## user ", "## assistant "],
    ]);
  });

  it("as html is one page that shows every text and runs none", async () => {
    const { code, stdout, stderr } = await (await wildHistory()).run([
      ...["export", "-u", "alice", "--format", "html"],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toMatch(CONTROLS);
    expect(stdout).toMatch(/^<!doctype html>\n.*<\/html>\n$/s);
    expect(stdout).toContain("世界 👩‍👩‍👧");
    expect(stdout.match(/<article /g)).toHaveLength(EXPECTED.length);
  });

  it("as openai is an array that a model takes, of the session that is named", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    await cli.run(["ask", "-u", "alice", "-s", "work", "Hello"]);
    const args = ["export", "-u", "alice", "--format", "openai"];
    const { stdout } = await cli.run(args);
    expect(JSON.parse(stdout)).toEqual([
      { role: "user", content: "Hello" },
      { role: "assistant", content: expect.stringContaining("Hello") },
    ]);
    await cli.run(["ask", "-u", "alice", "Hi there"]);
    expect(await cli.run(args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("there are 2"),
    });
    expect((await cli.run([...args, "-s", "work"])).stdout).toBe(stdout);
  });

  it("holds the latest messages as whole runs with --last, and the latest time with --since", async () => {
    const cli = new Cli();
    const memory = new SqliteMemory(join(cli.home, "chat.db"));
    for (const [days, name] of [
      [9, "old"],
      [1, "new"],
      [0, "newest"],
    ] as const) {
      const createdAt = new Date(Date.now() - days * 86_400_000).toISOString();
      const run = [userMessage(`${name} question`), assistantMessage(`${name} answer`)];
      await memory.add(
        run.map((message) => ({ ...message, createdAt })),
        "alice",
      );
    }
    await memory.close();
    const contents = async (...flags: string[]) =>
      contentsOf((await cli.json(["export", "-u", "alice", ...flags])).messages);
    const newest = ["newest question", "newest answer"];
    const latest = ["new question", "new answer", ...newest];
    expect(await contents("--last", "5")).toEqual(latest);
    expect(await contents("--last", "1")).toEqual(newest);
    expect(await contents("--since", "7d")).toEqual(latest);
    expect(await contents("--since", "7d", "--last", "2")).toEqual(newest);
    expect(await contents("--since", "30d", "--last", "99")).toHaveLength(6);
    for (const flags of [
      ["--last", "0"],
      ["--last", "x"],
      ["--since", "yesterday"],
    ])
      expect(await cli.run(["export", "-u", "alice", ...flags])).toMatchObject({
        code: 2,
        stdout: "",
      });
  });

  it("holds one user, and one session when it is named", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    await cli.run(["ask", "-u", "alice", "-s", "work", "Hello"]);
    await cli.run(["ask", "-u", "alice", "Hi there"]);
    expect((await cli.json(["export", "-u", "alice"])).messages).toHaveLength(4);
    expect(await cli.json(["export", "-u", "alice", "-s", "work"])).toMatchObject({
      session: "work",
      messages: [{ content: "Hello", sessionId: "work" }, { sessionId: "work" }],
    });
  });

  it("of a user never seen is an empty history", async () => {
    const cli = new Cli();
    expect(await cli.json(["export", "-u", "nobody"])).toEqual({
      ok: true,
      user: "nobody",
      session: null,
      messages: [],
      state: {},
    });
    expect(await cli.run(["export", "--format", "jsonl"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });
});

it("shows in Markdown what tools were called, what failed and what was interrupted", async () => {
  const cli = new Cli();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  await memory.add(
    [
      userMessage("What time is it?"),
      assistantMessage("", [{ id: "1", name: "now", arguments: '{"zone":"UTC"}' }]),
      toolMessage("1", "no clock", true),
      { ...assistantMessage("I do"), interrupted: true },
    ],
    "alice",
    { sessionId: "work" },
  );
  await memory.close();
  const { stdout } = await cli.run(["export", "-u", "alice", "--format", "md"]);
  const withoutTimes = stdout.replace(/ · .*$/gm, "").replace(/^Exported .*$/m, "Exported");
  expect(withoutTimes).toBe(`# alice

Exported

## user, session work

What time is it?

## assistant, session work

- called \`now\` with \`{"zone":"UTC"}\`

## tool, session work, failed

no clock

## assistant, session work, interrupted

I do
`);
});

it("for people is nothing at all of a user never seen, and one line says so", async () => {
  const cli = new Cli();
  for (const format of ["md", "html"])
    expect(await cli.run(["export", "-u", "nobody", "--format", format])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'agno-chat: Nothing is kept of "nobody", so nothing was written. List who has a history with: agno-chat users.\n',
    });
});

describe("to a file", () => {
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

  it("writes a file only its owner can read, and says so on stderr", async () => {
    const cli = await wildHistory();
    const file = join(cli.home, "alice.json");
    expect(await cli.run(["export", "-u", "alice", "-o", file])).toEqual({
      code: 0,
      stdout: "",
      stderr: `Wrote ${2 * HOSTILE.length} messages of alice to ${file}.\n`,
    });
    expect(contentsOf(JSON.parse(readFileSync(file, "utf8")).messages)).toEqual(EXPECTED);
    expect(modeOf(file)).toBe("600");
    const other = join(cli.home, "bob.jsonl");
    expect(await cli.json(["export", "-u", "bob", "-o", other])).toEqual({
      ok: true,
      user: "bob",
      session: null,
      messages: 1,
      file: other,
    });
  });

  it("never overwrites one without --force, and with it only its owner can read the file", async () => {
    const cli = await wildHistory();
    const file = join(cli.home, "alice.json");
    writeFileSync(file, "precious", { mode: 0o644 });
    const args = ["export", "-u", "alice", "-o", file];
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("--force");
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(await cli.run([...args, "--force"])).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(file, "utf8")).user).toBe("alice");
    expect(modeOf(file)).toBe("600");
  });

  it("of an unknown user, or of an empty session, is not written, and one line says so", async () => {
    const cli = await wildHistory();
    const file = join(cli.home, "nobody.json");
    const args = ["export", "-o", file, "-u"];
    expect(await cli.run([...args, "alcie"])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'agno-chat: Nothing is kept of "alcie", so nothing was written. List who has a history with: agno-chat users.\n',
    });
    const { stderr } = await cli.run([...args, "alice", "-s", "work"]);
    expect(stderr).toContain('Nothing is kept of "alice" in session "work"');
    const { stdout } = await cli.run([...args, "alcie", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "NOTHING_TO_EXPORT" } });
    const chat = await cli.run(["-u", "alcie"], { input: `/export ${file}\n` });
    expect(chat).toMatchObject({ code: 2 });
    expect(chat.stderr).toContain("so nothing was written");
    expect(existsSync(file)).toBe(false);
  });

  it("of a time in which nothing was said is not written", async () => {
    const cli = new Cli();
    const memory = new SqliteMemory(join(cli.home, "chat.db"));
    await memory.add({ ...userMessage("Hi"), createdAt: "2020-01-01T00:00:00.000Z" }, "alice");
    await memory.close();
    const file = join(cli.home, "alice.html");
    expect(await cli.run(["export", "-u", "alice", "--since", "7d", "-o", file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No run of "alice" began within 7d, so nothing was written.'),
    });
    expect(readdirSync(cli.home).filter((name) => name.includes("alice"))).toEqual([]);
  });

  it("takes the format from the end of the name, in a shell and in the chat", async () => {
    const cli = await wildHistory();
    const beginnings = {
      "bob.html": "<!doctype html>",
      "bob.md": "# bob",
      "bob.json": '{"user":"bob"',
      "bob.jsonl": '{"role":"user"',
      "bob.openai.json": '[\n{"role":"user","content":"not alice\'s"}\n]\n',
    };
    for (const [name, beginning] of Object.entries(beginnings)) {
      const [shell, chat] = [join(cli.home, name), join(cli.home, `chat-${name}`)];
      expect(await cli.run(["export", "-u", "bob", "-o", shell])).toMatchObject({ code: 0 });
      expect(await cli.run(["-u", "bob"], { input: `/export ${chat}\n` })).toMatchObject({
        code: 0,
      });
      for (const file of [shell, chat])
        expect(readFileSync(file, "utf8").startsWith(beginning), file).toBe(true);
    }
  });

  it("with state alone is written", async () => {
    const cli = new Cli();
    const memory = new SqliteMemory(join(cli.home, "chat.db"));
    await memory.add([], "alice", { state: { points: 3 } });
    await memory.close();
    const file = join(cli.home, "alice.json");
    await cli.run(["export", "-u", "alice", "-o", file]);
    expect(JSON.parse(readFileSync(file, "utf8")).state).toEqual({ default: { points: 3 } });
  });

  it("named - is stdout", async () => {
    const cli = await wildHistory();
    const args = ["export", "-u", "bob", "--format", "jsonl"];
    const { stdout } = await cli.run(args);
    expect(await cli.run([...args, "-o", "-"])).toEqual({ code: 0, stdout, stderr: "" });
    expect((await cli.json(["export", "-u", "bob", "-o", "-"])).messages).toHaveLength(1);
  });

  it("as md is as harmless as on the screen", async () => {
    const cli = await wildHistory();
    const file = join(cli.home, "alice.md");
    await cli.run(["export", "-u", "alice", "--format", "md", "-o", file]);
    expect(readFileSync(file, "utf8")).not.toMatch(CONTROLS);
  });

  it("is whole or absent: a failure leaves the older file and nothing else", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "alice.json");
    const failing = async function* () {
      yield "half a";
      throw new AgnoChatError("STORE_FAILED", "The disk is gone.");
    };
    const failure = { code: "STORE_FAILED" };
    await expect(writePrivateFile(file, failing())).rejects.toMatchObject(failure);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(file, "precious");
    const overwriting = writePrivateFile(file, failing(), { overwrite: true });
    await expect(overwriting).rejects.toMatchObject(failure);
    expect(readdirSync(folder)).toEqual(["alice.json"]);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  it("never overwrites a file that was created meanwhile", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "alice.json");
    const slow = async function* () {
      writeFileSync(file, "precious");
      yield "mine";
    };
    await expect(writePrivateFile(file, slow())).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(readdirSync(folder)).toEqual(["alice.json"]);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  it("keeps a link, and writes to a device", async () => {
    const cli = await wildHistory();
    const folder = temporaryFolder();
    const [file, link] = [join(folder, "file.json"), join(folder, "link.json")];
    writeFileSync(file, "old");
    symlinkSync(file, link);
    await cli.run(["export", "-u", "alice", "--force", "-o", link]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8")).user).toBe("alice");
    const args = ["export", "-u", "alice", "--force", "-o", "/dev/null"];
    expect(await cli.run(args)).toMatchObject({ code: 0 });
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("can be read by its owner alone, even in the place of a link that leads nowhere", async () => {
    const cli = await wildHistory();
    const folder = temporaryFolder();
    const [file, link] = [join(folder, "file.json"), join(folder, "link.json")];
    symlinkSync(file, link);
    expect(await cli.run(["export", "-u", "alice", "--force", "-o", link])).toMatchObject({
      code: 0,
    });
    expect(statSync(link).mode & 0o777).toBe(0o600);
    expect(existsSync(file)).toBe(false);
    expect(JSON.parse(readFileSync(link, "utf8")).user).toBe("alice");
  });

  it("whose name ends like another kind of file is not written, unless --format says what", async () => {
    const cli = await wildHistory();
    const file = join(cli.home, "alice.pdf");
    const args = ["export", "-u", "alice", "-o", file];
    expect(await cli.run(args)).toEqual({
      code: 2,
      stdout: "",
      stderr:
        `agno-chat: Cannot tell the format of ${JSON.stringify(file)}. ` +
        "End the name in .md, .html, .json, .jsonl or .openai.json.\n",
    });
    expect(existsSync(file)).toBe(false);
    expect(await cli.run([...args, "--format", "md"])).toMatchObject({ code: 0 });
  });

  it("that cannot be written is one line and exit code 4", async () => {
    const cli = await wildHistory();
    const file = join(cli.home, "no", "such", "folder");
    const { code, stderr } = await cli.run(["export", "-u", "alice", "-o", file]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^agno-chat: Cannot write [^\n]*ENOENT[^\n]*\n$/);
    expect(existsSync(file)).toBe(false);
  });
});
