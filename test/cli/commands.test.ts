import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type InputFiles, inputFilesIn } from "../../src/cli/terminal/input-files.js";
import { validateUserId } from "../../src/ids.js";
import { Cli, temporaryFolder } from "../support/cli.js";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A home where alice and bob have said their names. */
async function introduced(): Promise<Cli> {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  await cli.run(["ask", "-u", "alice", "My name is Alice"]);
  await cli.run(["ask", "-u", "bob", "-s", "work", "My name is Bob"]);
  return cli;
}

describe("ask", () => {
  it("prints the reply and nothing else", async () => {
    const cli = await introduced();
    expect(await cli.run(["ask", "-u", "alice", "What's", "my", "name?"])).toEqual({
      code: 0,
      stdout: "Your name is Alice.\n",
      stderr: "",
    });
  });

  it("with --json answers with the user, session, model and usage", async () => {
    const cli = await introduced();
    expect(await cli.json(["ask", "-u", "bob", "-s", "work", "What's my name?"])).toEqual({
      ok: true,
      user: "bob",
      session: "work",
      model: "demo",
      reply: "Your name is Bob.",
      finishReason: "stop",
      usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number), estimated: true },
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("uses the user and session named default unless told otherwise", async () => {
    const document = await new Cli({ AGNO_CHAT_MODEL: "demo" }).json(["ask", "Hello"]);
    expect(document).toMatchObject({ user: "default", session: "default" });
  });

  it("is what -p means, with every flag of ask", async () => {
    const cli = await introduced();
    for (const args of [
      ["-p", "What's my name?", "-u", "alice"],
      ["-u", "alice", "--no-stdin", "-p", "What's my name?"],
      ["ask", "-u", "alice", "-p", "What's my name?"],
    ])
      expect(await cli.run(args)).toEqual({ code: 0, stdout: "Your name is Alice.\n", stderr: "" });
  });

  it("gives the model the instructions of --system", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    await cli.run(["ask", "Hello", "--system", "Be brief."]);
    const { messages } = await cli.json(["context", "--system", "Be brief."]);
    expect(messages[0]).toEqual({ role: "system", content: "Be brief." });
  });
});

describe("users", () => {
  it("lists the users with a history in aligned columns, also with wide characters", async () => {
    const cli = await introduced();
    await cli.run(["ask", "-u", "世界", "Hello"]);
    const { code, stdout } = await cli.run(["users"]);
    expect(code).toBe(0);
    const rows = stdout.trimEnd().split("\n");
    expect(rows[0]).toBe("user   sessions  messages  last activity");
    const time = /\d{4}-\d\d-\d\d \d\d:\d\d$/;
    expect(rows.slice(1).map((row) => row.replace(time, "…"))).toEqual(
      expect.arrayContaining([
        "alice  1         2         …",
        "bob    1         2         …",
        "世界   1         2         …",
      ]),
    );
  });

  it("with --json lists them as one document", async () => {
    const cli = await introduced();
    const { ok, users } = await cli.json(["users"]);
    expect(ok).toBe(true);
    const row = { sessions: 1, messages: 2, lastActivity: expect.stringMatching(ISO) };
    expect(users).toEqual(
      expect.arrayContaining([
        { user: "alice", ...row },
        { user: "bob", ...row },
      ]),
    );
    expect(users).toHaveLength(2);
  });

  it("of an empty home is an empty list, with a note on stderr", async () => {
    const cli = new Cli();
    expect(await cli.run(["users"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "No user has a history yet.\n",
    });
    expect(await cli.json(["users"])).toEqual({ ok: true, users: [] });
  });
});

describe("size", () => {
  it("counts all of a user, or the session that is named", async () => {
    const cli = await introduced();
    await cli.run(["ask", "-u", "bob", "Hello"]);
    expect((await cli.run(["size", "-u", "bob"])).stdout).toMatch(
      /^bob: 4 messages in 2 runs, \d+ bytes\n( {2}.*\n){3}$/,
    );
    expect((await cli.run(["size", "-u", "bob", "-s", "work"])).stdout).toMatch(
      /^bob in work: 2 messages in 1 run, \d+ bytes\n( {2}.*\n){3}$/,
    );
    expect(await cli.json(["size", "-u", "bob"])).toMatchObject({
      ok: true,
      user: "bob",
      session: null,
      messages: 4,
      runs: 2,
      bytes: expect.any(Number),
    });
    expect(await cli.json(["size", "-u", "bob", "-s", "default"])).toMatchObject({
      session: "default",
      messages: 2,
    });
  });

  it("of an unknown user is 0, and does not create the user", async () => {
    const cli = await introduced();
    expect(await cli.json(["size", "-u", "nobody"])).toMatchObject({
      ok: true,
      user: "nobody",
      session: null,
      messages: 0,
      runs: 0,
      bytes: 0,
    });
    expect((await cli.json(["users"])).users).toHaveLength(2);
  });
});

describe("clear", () => {
  it("deletes the history of one user only", async () => {
    const cli = await introduced();
    expect(await cli.run(["clear", "-u", "alice", "--yes"])).toEqual({
      code: 0,
      stdout: "Deleted 2 messages of alice.\n",
      stderr: "",
    });
    expect(await cli.json(["size", "-u", "alice"])).toMatchObject({ messages: 0 });
    expect(await cli.json(["size", "-u", "bob"])).toMatchObject({ messages: 2 });
  });

  it("deletes only the named session", async () => {
    const cli = await introduced();
    await cli.run(["ask", "-u", "bob", "Hello"]);
    expect(await cli.json(["clear", "-u", "bob", "-s", "work", "-y"])).toEqual({
      ok: true,
      dryRun: false,
      user: "bob",
      session: "work",
      deleted: { messages: 2, sessions: 1 },
    });
    expect(await cli.json(["size", "-u", "bob"])).toMatchObject({ messages: 2 });
  });

  it("says which session it emptied", async () => {
    const cli = await introduced();
    const { stdout } = await cli.run(["clear", "-u", "bob", "-s", "work", "-y"]);
    expect(stdout).toBe("Deleted 2 messages of bob in work.\n");
  });

  it("of an unknown user deletes nothing, asks nothing and succeeds", async () => {
    const cli = await introduced();
    expect(await cli.json(["clear", "-u", "nobody"])).toEqual({
      ok: true,
      dryRun: false,
      user: "nobody",
      session: null,
      deleted: { messages: 0, sessions: 0 },
    });
  });

  it("with --all-users deletes the data of all users", async () => {
    const cli = await introduced();
    expect(await cli.json(["clear", "--all-users", "-y"])).toEqual({
      ok: true,
      dryRun: false,
      user: null,
      session: null,
      deleted: { messages: 4, sessions: 2, users: 2 },
    });
    expect((await cli.json(["users"])).users).toEqual([]);
  });

  it.each([
    ["--user", "bob"],
    ["--session", "work"],
  ])("refuses --all-users together with %s, and deletes nothing", async (flag, value) => {
    const cli = await introduced();
    const { code, stderr } = await cli.run(["clear", "--all-users", flag, value, "-y"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`--all-users does not go with ${flag}.`);
    expect((await cli.json(["users"])).users).toHaveLength(2);
  });

  it("with --dry-run counts what it would delete, asks nothing and deletes nothing", async () => {
    const cli = await introduced();
    const run = (...args: string[]) => cli.run(["clear", "--dry-run", ...args]);
    for (const [args, what] of [
      [["-u", "alice"], "2 messages of alice"],
      [["-u", "bob", "-s", "work"], "2 messages of bob in work"],
      [["-u", "bob", "-s", "play"], "0 messages of bob in play"],
      [["--all-users"], "4 messages of 2 users"],
    ] as const)
      expect(await run(...args)).toEqual({
        code: 0,
        stdout: `Would delete ${what}.\n`,
        stderr: "",
      });
    expect(await cli.json(["clear", "--dry-run", "-u", "bob"])).toEqual({
      ok: true,
      dryRun: true,
      user: "bob",
      session: null,
      deleted: { messages: 2, sessions: 1 },
    });
    expect(await cli.json(["clear", "--dry-run", "--all-users"])).toMatchObject({
      dryRun: true,
      deleted: { messages: 4, sessions: 2, users: 2 },
    });
    expect((await cli.json(["users"])).users).toHaveLength(2);
  });
});

describe("context", () => {
  it("shows exactly what would be sent to the model, for this user only", async () => {
    const cli = await introduced();
    const { stdout } = await cli.run(["context", "-u", "alice", "--system", "Be brief."]);
    expect(stdout).toMatch(
      /^\[system\] Be brief\.\n\[user\] My name is Alice\n\[assistant\] .*\n\[tokens\] about \d+, \d+ of them history\n$/,
    );
    expect(await cli.json(["context", "-u", "bob", "-s", "work"])).toMatchObject({
      ok: true,
      user: "bob",
      session: "work",
      model: "demo",
      messages: [{ role: "user", content: "My name is Bob" }, { role: "assistant" }],
    });
  });

  it("says what is left out of a long history, and which flag leaves it out", async () => {
    const cli = new Cli();
    for (const name of ["Alice", "Alicia", "Al", "Ally"])
      await cli.run(["ask", "-m", "demo", "-u", "alice", `My name is ${name}`]);
    const { stdout } = await cli.run(["context", "-u", "alice", "--history", "6"]);
    expect(stdout).toMatch(
      /^\[user\] My name is Alicia\n[\s\S]*\n\[left out\] 2 messages by --history 6\n\[tokens\] about (\d+), \1 of them history\n$/,
    );
    const flags = ["context", "-u", "alice", "--history", "6", "--history-tokens", "60"];
    expect((await cli.run(flags)).stdout).toMatch(
      /^\[user\] My name is Al\w*\n[\s\S]*\[left out\] 2 messages by --history 6, [24] messages by --history-tokens 60\n\[tokens\] about [345]\d, /,
    );
    expect(await cli.json(flags)).toMatchObject({
      leftOut: { historyLimit: 2, historyTokens: expect.any(Number), model: 0 },
    });
  });

  it("says so when there is nothing to send", async () => {
    const { stdout } = await new Cli().run(["context", "-m", "demo"]);
    expect(stdout).toBe("Nothing: no instructions and no history.\n");
  });
});

describe("models", () => {
  it("lists the demo model when nothing else is configured", async () => {
    expect(await new Cli().run(["models"])).toEqual({ code: 0, stdout: "demo\n", stderr: "" });
    expect(await new Cli().json(["models"])).toEqual({ ok: true, models: ["demo"] });
  });
});

describe("input typed at the prompt", () => {
  const [ALICE, BOB] = [validateUserId("alice"), validateUserId("bob")];

  async function typed(): Promise<{ cli: Cli; input: InputFiles }> {
    const cli = await introduced();
    const input = inputFilesIn(cli.home);
    for (const user of [ALICE, BOB]) input.append(user, `a secret of ${user}`);
    return { cli, input };
  }

  it("is deleted with the user who is cleared, and with no other", async () => {
    const { cli, input } = await typed();
    await cli.run(["clear", "-u", "alice", "--yes"]);
    expect([input.read(ALICE), input.read(BOB)]).toEqual([[], ["a secret of bob"]]);
  });

  it("stays when a single session is cleared", async () => {
    const { cli, input } = await typed();
    await cli.run(["clear", "-u", "alice", "-s", "default", "--yes"]);
    expect(input.read(ALICE)).toEqual(["a secret of alice"]);
  });

  it("is deleted with --all-users and prune", async () => {
    for (const args of [
      ["clear", "--all-users", "--yes"],
      ["prune", "--inactive", "0s", "--yes"],
    ]) {
      const { cli, input } = await typed();
      expect(await cli.run(args)).toMatchObject({ code: 0 });
      expect([input.read(ALICE), input.read(BOB)]).toEqual([[], []]);
    }
  });
});

it("prune applies to all users, and refuses --user and --session", async () => {
  const cli = await introduced();
  for (const flag of ["--user", "--session"]) {
    const { code, stderr } = await cli.run(["prune", "--inactive", "24h", flag, "bob", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`does not take ${flag}`);
  }
});

it("export takes the format from the file name when none is given", async () => {
  const cli = await introduced();
  const folder = temporaryFolder();
  const written = async (name: string, ...flags: string[]) => {
    const file = join(folder, name);
    await cli.run(["export", "-u", "alice", "-o", file, ...flags]);
    return readFileSync(file, "utf8");
  };
  expect(await written("a.md")).toMatch(/^# alice/);
  expect((await written("b.jsonl")).split("\n")).toHaveLength(3);
  expect(JSON.parse(await written("c"))).toMatchObject({ user: "alice" });
  expect(JSON.parse(await written("d.md", "--format", "json"))).toMatchObject({ user: "alice" });
});
