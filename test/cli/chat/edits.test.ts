import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { Cli } from "../../support/cli.js";
import { sayAll, startRepl } from "../../support/repl-session.js";

const typed = async (cli: Cli, ...lines: readonly string[]) => {
  const args = ["-u", "alice", "--model", "demo", "--tools", "notes"];
  return cli.run(args, { input: `${lines.join("\n")}\n` });
};

const kept = async (cli: Cli, session: string, user = "alice"): Promise<string[]> =>
  (await cli.json(["export", "-u", user, "-s", session])).messages
    .filter(({ role }: { role: string }) => role === "user")
    .map(({ content }: { content: string }) => content);

test("/undo takes back the user's own last messages, with what they changed of the state", async () => {
  const cli = new Cli();
  const lines = ["My name is Alice", "Remember that I like tea", "/as bob My name is Bob", "/undo"];
  const { code, stdout } = await typed(cli, ...lines, "/state", "What's my name?");
  expect(code).toBe(0);
  expect(stdout).toContain("Took back the last run of alice: 4 messages.\n");
  expect(stdout).not.toContain('"notes":');
  expect(await kept(cli, "default")).toEqual(["My name is Alice", "What's my name?"]);
  expect(await kept(cli, "default", "bob")).toEqual(["My name is Bob"]);
});

test("/undo n takes back as many as there are, and nothing twice", async () => {
  const cli = new Cli();
  const { stdout, stderr } = await typed(cli, "One", "Two", "Three", "/undo 2", "/undo 5", "/undo");
  expect(stdout).toContain("Took back the last 2 runs of alice: 4 messages.\n");
  expect(stdout).toContain("Took back the last run of alice: 2 messages.\n");
  expect(stderr).toContain("Nothing to take back in session default.\n");
  expect((await cli.json(["users"])).users).toEqual([]);
});

test("/retry does not bring back what was taken back", async () => {
  const { code, stderr } = await typed(new Cli(), "One", "/undo", "/retry");
  expect(code).toBe(2);
  expect(stderr).toContain("There is no question to ask again.");
});

test.each(["x", "0", "-1", "1.5"])("/undo %s is refused, and takes nothing back", async (count) => {
  const cli = new Cli();
  const { code, stderr } = await typed(cli, "One", `/undo ${count}`);
  expect(code).toBe(2);
  expect(stderr).toContain(`/undo takes a number of messages of yours, not "${count}".`);
  expect(await kept(cli, "default")).toEqual(["One"]);
});

test("/fork goes on in a copy, and the original stays as it was", async () => {
  const cli = new Cli();
  const lines = ["My name is Alice", "/fork try", "What's my name?", "/undo 2", "My name is Al"];
  const { code, stdout } = await typed(cli, ...lines, "/session default", "What's my name?");
  expect(code).toBe(0);
  expect(stdout.match(/Your name is Alice\./g)).toHaveLength(2);
  expect(await kept(cli, "try")).toEqual(["My name is Al"]);
  expect(await kept(cli, "default")).toEqual(["My name is Alice", "What's my name?"]);
});

test("/fork without a name finds one, and never takes that of another session", async () => {
  const cli = new Cli();
  const { code, stderr } = await typed(cli, "One", "/fork", "Two", "/fork default");
  expect(code).toBe(2);
  expect(stderr).toContain('The session "default" of user "alice" exists already.');
  expect((await cli.json(["users"])).users).toMatchObject([{ sessions: 2, messages: 6 }]);
});

test("--no-save leaves no file behind, neither of the conversation nor of what was typed", async () => {
  const home = path.join(mkdtempSync(path.join(tmpdir(), "agno-chat-no-save-")), "home");
  const pty = await startRepl({ home, args: ["-u", "alice", "--no-save"] });
  await sayAll(pty, "My name is Alice", "What's my name?");
  await pty.waitFor("Your name is Alice.");
  pty.type("/exit\r");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
  expect(existsSync(home)).toBe(false);
});

test("--no-save does not know what was said before, and keeps nothing of ask and run", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo", AGNO_CHAT_USER: "alice" });
  await cli.run(["ask", "My name is Alice"]);
  const { stdout } = await cli.run(["ask", "--no-save", "What's my name?"]);
  expect(stdout).toContain("I don't know your name");
  await cli.run(["--no-save", "-p", "Hello"]);
  await cli.run(["run", "--no-save", "-"], { input: "Hello\n" });
  expect(await kept(cli, "default")).toEqual(["My name is Alice"]);
});

test.each([
  [["size", "--no-save"], "--no-save does not go with size."],
  [["ask", "--no-save", "--store", "memory:", "hi"], "--no-save keeps nothing"],
])("%j is refused", async (args, message) => {
  const { code, stderr } = await new Cli().run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
