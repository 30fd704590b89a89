import { expect, test } from "vitest";
import { COMMANDS } from "../../../src/cli/chat/slash-commands.js";
import { COMMANDS as SHELL_COMMANDS } from "../../../src/cli/command-table.js";
import { Cli } from "../../support/cli.js";
import { sayAll, startRepl } from "../../support/repl-session.js";

const type = (...lines: readonly string[]) =>
  new Cli().run(["--model", "demo"], { input: `${lines.join("\n")}\n` });

test.each(COMMANDS.filter(({ argument }) => argument === undefined).map(({ name }) => [name]))(
  "/%s refuses words after it, and does nothing",
  async (name) => {
    expect(await type(`/${name} please`)).toEqual({
      code: 2,
      stdout: "",
      stderr: `agno-chat: stdin:1: /${name} takes nothing after it, not "please". /${name} alone: see /help.\n`,
    });
  },
);

test.each([
  ["/rm", "See /help"],
  ["/ls", "See /help"],
  ["/nope", "See /help"],
  ["/USER bob", "Did you mean /user?"],
  ["/HISTROY", "Did you mean /history?"],
  ["/qiut", "Did you mean /quit?"],
])("%s gets a suggestion only if a name is close", async (line, hint) => {
  const { code, stderr } = await type(line);
  expect(code).toBe(2);
  expect(stderr).toContain(hint);
});

const CHAT_NAMES = COMMANDS.map(({ name }) => name);

test.each(SHELL_COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => [name]))(
  "/%s is in the chat, or says what to do instead",
  async (name) => {
    if (CHAT_NAMES.includes(name)) return;
    const { code, stdout, stderr } = await type(`/${name}`);
    const said = `agno-chat: stdin:1: There is no command /${name} in the chat.`;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.startsWith(said)).toBe(true);
    const line = /In a shell: agno-chat (.*)\n$/.exec(stderr)?.[1];
    if (line === undefined) return expect(stderr).toContain("/as");
    expect(line.split(" ")[0]).toBe(name);
  },
);

test.each(CHAT_NAMES.map((name) => [name]))("%s in a shell is known there", async (name) => {
  if (name === "help" || SHELL_COMMANDS.some((command) => command.name === name)) return;
  const { code, stderr } = await new Cli().run([name]);
  expect(code).toBe(2);
  expect(stderr).toMatch(new RegExp(`Did you mean [a-z]+\\?|In the chat: /${name}\n`));
});

test.each(["exit", "quit", "bye", ":q", ":q!", ":wq"])(
  "%s alone on a line leaves",
  async (word) => {
    expect(await type(`  ${word} `, "/size")).toEqual({ code: 0, stdout: "", stderr: "" });
  },
);

test("help alone on a line is /help", async () => {
  expect(await type("help")).toEqual(await type("/help"));
});

test("/help in a script names no keys", async () => {
  const { stdout } = await type("/help");
  expect(stdout).toMatch(/^""" … """ on lines of their own: .* · \/\/x sends \/x$/m);
  expect(stdout).not.toMatch(/Ctrl-[^D]|Esc|Tab/);
});

test.each(["exit", "help", "bye", ":q"])("%s in a block is a message", async (word) => {
  const { code, stdout } = await type('"""', word, '"""', "/size", "/history");
  expect(code).toBe(0);
  expect(stdout).toContain("2 messages in 1 run");
  expect(stdout).toContain(`default: ${word}\n`);
});

test("words that only begin like a command are a message", async () => {
  expect((await type("help me", "bye now", "/size")).stdout).toContain("4 messages in 2 runs");
});

test("on a terminal bye leaves, and bye in a block is a message", async () => {
  const pty = await startRepl();
  await sayAll(pty, "/size");
  pty.type('"""\rbye\r"""\r');
  await pty.waitFor(/demo · about .*\nalice>$/);
  pty.type("bye\r");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
});
