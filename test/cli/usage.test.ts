import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Cli, documentIn } from "../support/cli.js";

const COMMANDS = ["ask", "users", "size", "export", "clear", "context", "run", "demo", "models"];

describe("help and version", () => {
  it("lists every command and common flag, with examples, on stdout", async () => {
    const { code, stdout, stderr } = await new Cli().run(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const word of [...COMMANDS, "config", "--user", "--json", "--base-url", "Examples:"])
      expect(stdout).toContain(word);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([...COMMANDS, "config"])(
    "explains %s wherever the flag for help stands",
    async (name) => {
      for (const args of [
        [name, "--help"],
        ["--json", name, "-h"],
        ["help", name],
      ]) {
        const { code, stdout, stderr } = await new Cli().run(args);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout).toMatch(new RegExp(`^Usage: agno-chat ${name}`));
      }
    },
  );

  it("explains -p, whose words name no command", async () => {
    const { stdout } = await new Cli().run(["--help"]);
    const shown = await new Cli().run(["-p", "Hi", "there", "--help"]);
    expect(shown).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("shows the help for the word help, as it does for --help", async () => {
    const { stdout } = await new Cli().run(["--help"]);
    expect(await new Cli().run(["help"])).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("prints the version alone, wherever the flag stands", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    for (const args of [["--version"], ["-V"], ["size", "--version"], ["--json", "-V"]])
      expect(await new Cli().run(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("invalid arguments", () => {
  it.each([
    [["sise"], 'There is no command "sise". Did you mean size?'],
    [["sessions", "-u", "alice"], 'There is no command "sessions". In the chat: /sessions\n'],
    [["chat"], 'There is no command "chat". agno-chat alone is the chat.\n'],
    [["version"], "agno-chat --version shows the version.\n"],
    [["-v"], "agno-chat --version shows the version.\n"],
    [["clear", "alice"], "Name the user with --user: agno-chat clear --user alice.\n"],
    [["xyzzy"], "Known: ask, users, size"],
    [["size", "--usr", "x"], "Unknown option '--usr'. Did you mean --user?\n"],
    [["--jsno", "size"], "Did you mean --json?"],
    [["prune", "--inactiv", "1h"], "Did you mean --inactive?"],
    [["prune", "--keep"], "Unknown option '--keep'. See agno-chat prune --help."],
    [["size", "--modle", "x"], "Unknown option '--modle'. See agno-chat size --help."],
    [["ask", "- milk"], 'Put text that begins with a dash after "--".\n'],
    [["SIZE"], 'There is no command "SIZE". Did you mean size?'],
    [["rm"], 'There is no command "rm". Known: ask, users, size'],
    [["ls"], 'There is no command "ls". Known: ask, users, size'],
    [["help", "sise"], 'There is no command "sise". Did you mean size?'],
    [["sise", "--help"], 'There is no command "sise". Did you mean size?\n'],
    [["-u", "alice", "sise", "-h"], 'There is no command "sise". Did you mean size?\n'],
    [
      ["store", "chekc", "--help"],
      'There is no command "store chekc". Did you mean store check?\n',
    ],
    [["size", "-s", "a\nb"], "for example work or trip-to-oslo."],
    [["size", "--user"], "Option '-u, --user <id>' argument missing. See agno-chat --help.\n"],
    [["size", "extra"], "Expected 0 arguments but got 1. Name the user with --user: agno-chat"],
    [["search", "x", "--format", "md"], "Unknown option '--format'. It is an option of export.\n"],
    [["users", "--system", "x"], "users does not use --system. It is for the chat, ask, context,"],
    [["store", "--prices", "x", "check"], "store check does not use --prices. It is for the chat"],
    [
      ["limit", "set", "--max-requests-per-minute", "3"],
      "limit set does not use --max-requests-per-minute. Did you mean --requests-per-minute?\n",
    ],
    [["completion", "bash", "--history", "9"], "completion does not use --history. It is for"],
    [["help", "size", "extra"], 'There is no command "size extra".'],
    [["repl", "size"], 'repl takes no arguments, but got "size".'],
    [["config", "list", "extra"], "config list got too many arguments. agno-chat config list\n"],
    [["config", "path", "extra"], "config path got too many arguments. agno-chat config path\n"],
    [["config", "get", "user", "extra"], "agno-chat config get NAME\n"],
    [["config", "unset", "user", "extra"], "agno-chat config unset NAME\n"],
    [["config", "set", "user", "bob", "extra"], "Too many arguments for 'config'."],
    [["run"], "Missing required argument 'script'. For example: agno-chat run hello.chat\n"],
    [["help", "token", "creat"], 'There is no command "token creat". Did you mean token create?'],
    [["config", "lst"], 'There is no config action "lst". Did you mean list?'],
    [["config", "get", "modle"], 'There is no setting "modle". Did you mean model?'],
    [["config", "get"], "No setting is named."],
    [["config", "set", "model"], "No value is given for model."],
    [
      ["export", "--format", "xml"],
      'There is no format "xml". Known: json, jsonl, md, html, openai.',
    ],
    [["ask"], "The prompt is empty."],
    [["ask", "Hi", "--timeout", "soon"], '--timeout "soon" must be a number of seconds'],
    [["ask", "Hi", "--base-url", "ftp://x"], '--base-url "ftp://x" must be an http or https URL'],
    [["ask", "Hi", "--model", " "], "--model"],
    [["size", "-p", "Hi"], "-p"],
    [["-p", "Hi", "--keep-going"], "--keep-going does not go with -p.\n"],
    [["--raw"], "--raw needs -p or ask.\n"],
    [["--no-stdin"], "--no-stdin needs -p or ask.\n"],
    [["ask", "Hi", "--history", "many"], '--history "many" must be a whole number from 0 up.\n'],
  ])("%j is one line on stderr and exit code 2", async (args, said) => {
    const { code, stdout, stderr } = await new Cli().run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/^agno-chat: [^\n]+\n$/);
  });

  it.each([
    [["sise"], "USAGE"],
    [["size", "--usr", "x"], "USAGE"],
    [["size", "-u", ""], "INVALID_USER_ID"],
    [["size", "-s", "a\nb"], "INVALID_SESSION_ID"],
    [["ask"], "INVALID_INPUT"],
    [["export", "--format", "md"], "USAGE"],
    [["config", "set", "timeout", "soon"], "USAGE"],
  ])("%j with --json is one document on stdout, nothing on stderr", async (args, code) => {
    for (const given of [
      [...args, "--json"],
      ["--json", ...args],
    ]) {
      const result = await new Cli().run(given);
      expect(result).toMatchObject({ code: 2, stderr: "" });
      const { ok, error } = documentIn(result);
      expect({ ok, code: error.code }).toEqual({ ok: false, code });
      expect(error.message).toMatch(/^[^\n]+$/);
    }
  });

  it("takes words after -- as text, even if they look like flags", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    const { code, stdout } = await cli.run(["ask", "--", "--json"]);
    expect(code).toBe(0);
    expect(() => JSON.parse(stdout)).toThrow();
    const failed = await cli.run(["size", "--", "--json"]);
    expect(failed).toMatchObject({ code: 2, stdout: "" });
    expect(failed.stderr).toContain("Too many arguments");
  });
});

describe("common flags", () => {
  it("stand before or after the command", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    const [before, after] = [
      await cli.run(["-u", "alice", "-s", "work", "--json", "size"]),
      await cli.run(["size", "-u", "alice", "-s", "work", "--json"]),
    ];
    expect(before).toEqual(after);
    expect(documentIn(after)).toMatchObject({ user: "alice", session: "work" });
  });

  it("mean nothing to a command that does not use them, before it, as in an alias", async () => {
    const cli = new Cli();
    for (const flags of [["--model", "x", "--system=y"], ["--prices", "none.json"], ["-y"]])
      expect(await cli.run([...flags, "users", "--json"])).toMatchObject({ code: 0, stderr: "" });
  });

  it("are refused behind a command that does not use them, but the environment is not", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "x", AGNO_CHAT_PRICES: "none.json" });
    expect(await cli.run(["users"])).toMatchObject({ code: 0 });
    expect(await cli.run(["users", "--model", "x", "--json"])).toMatchObject({
      code: 2,
      stderr: "",
    });
    // The value of a flag is no command.
    expect(await cli.run(["-p", "users", "--model", "demo"])).toMatchObject({ code: 0 });
    expect(await cli.run(["users", "-q", "--debug", "--no-color", "-y"])).toMatchObject({
      code: 0,
    });
  });

  it("--quiet hides remarks but not failures", async () => {
    const cli = new Cli();
    expect(await cli.run(["ask", "Hello", "-q"])).toMatchObject({ code: 0, stderr: "" });
    expect((await cli.run(["ask", "-q"])).stderr).toContain("prompt is empty");
  });

  it("--debug adds the causes, and never a stack", async () => {
    const cli = new Cli({ AGNO_CHAT_STORE: "sqlite:/dev/null/chat.db" });
    const { code, stderr } = await cli.run(["size", "--debug"]);
    expect(code).toBe(4);
    expect(stderr.split("\n").length).toBeGreaterThan(2);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
