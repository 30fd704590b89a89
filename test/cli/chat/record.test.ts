// biome-ignore-all lint/suspicious/noTemplateCurlyInString: users write these placeholders.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { messageLines } from "../../../src/cli/chat/script-text.js";
import { linesOf } from "../../../src/cli/script/script-lines.js";
import { statementsOf } from "../../../src/cli/script/statements.js";
import { expandVariables } from "../../../src/cli/script/variables.js";
import { Cli } from "../../support/cli.js";
import { streamedText } from "../../support/model-server.js";
import { modelServer, sayAll, startRepl, temporaryFolder } from "../../support/repl-session.js";

/** Runs a script against the demo model, on a memory of its own. */
const run = (file: string) => new Cli({ AGNO_CHAT_MODEL: "demo" }).spawn(["run", file]);

it("records a chat that runs again as it was, and fails when a reply is another", async () => {
  const home = temporaryFolder();
  const file = join(home, "chat.script");
  const pty = await startRepl({ home });
  await sayAll(pty, "My name is Carol");
  await sayAll(pty, `/record ${file}`, "/user bob", "My name is Bob", "What's my name?");
  await sayAll(pty, "/as mary Hello", "/record", "/new trip", "I like ${PATH}", "/size");
  await sayAll(pty, "/user alice", "What's my name?", "/user bob");
  pty.type("/clear\r");
  await pty.waitFor("Delete");
  pty.type("y\r");
  await pty.waitFor("Deleted");
  await sayAll(pty, "/user zoe", "/undo no", "//etc/hosts is a file");
  pty.type('"""\r# one\r/two\r"""\r');
  await pty.waitFor(/two[\s\S]+\d s/);
  await sayAll(pty, "/record stop", "What's my name?");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const script = readFileSync(file, "utf8");
  expect(script).not.toContain("Carol\n/");
  expect(script).toContain("\n/user bob\nMy name is Bob\n?equals ");
  expect(script).toContain("/session trip\nI like $${PATH}\n?equals ");
  expect(script).toContain("/undo no\n?fails USAGE\n");
  expect(await run(file)).toMatchObject({ code: 0 });
  writeFileSync(file, script.replace("?equals", "?equals not"));
  expect(await run(file)).toMatchObject({ code: 5 });
}, 30_000);

it("says at its beginning that what was said before is no part of the script", async () => {
  const home = temporaryFolder();
  const pty = await startRepl({ home });
  await sayAll(pty, "My name is Alice", `/record ${join(home, "one")}`, "/record stop");
  const remark = "The script will not have the 2 messages before it: /new begins without.";
  expect(pty.screen.join("\n").replace(/\s+/g, " ")).toContain(remark);
  await sayAll(pty, "/new", `/record ${join(home, "two")}`, "/record stop");
  expect(pty.raw.replace(/\s+/g, " ").split("will not have the").length).toBe(2);
});

it("does not write over a file, and says whether it records", async () => {
  const home = temporaryFolder();
  const file = join(home, "mine.txt");
  writeFileSync(file, "mine");
  const pty = await startRepl({ home });
  await sayAll(pty, "/record", `/record ${file}`, "/record stop");
  const screen = pty.screen.join("\n");
  expect(screen).toContain("Nothing is being recorded. /record FILE begins.");
  expect(screen.replace(/\s+/g, " ")).toContain("already exists. Choose another name.");
  expect(readFileSync(file, "utf8")).toBe("mine");
});

it("expects of a model that may answer otherwise only the names that came back", async () => {
  const home = temporaryFolder();
  const file = join(home, "chat.script");
  const server = await modelServer(
    streamedText("Hello Alice, how are you?"),
    streamedText("No idea."),
  );
  const pty = await startRepl({ home, server, env: { OPENAI_API_KEY: "key" } });
  await sayAll(pty, `/record ${file}`, "My name is Alice", "And Where am I", "/record stop");
  expect(readFileSync(file, "utf8").split("\n").slice(1)).toEqual([
    "",
    "/user alice",
    "My name is Alice",
    "# Hello Alice, how are you?",
    "?contains Alice",
    "And Where am I",
    "# No idea.",
    "",
  ]);
});

it.each([
  ["Hello"],
  ["# no comment"],
  ["?contains nothing"],
  ["/exit"],
  ["//x"],
  ["help"],
  ["  spaces  "],
  ["two\nlines\n"],
  ['"""'],
  ['a\n"""\n""""\nb'],
  ["${HOME} and $${HOME}"],
])("writes %j so that a script says just that", async (text) => {
  const lines = messageLines(text);
  async function* source() {
    yield lines.map((line) => `${line}\n`).join("");
  }
  const statements = [];
  for await (const statement of statementsOf(linesOf(source()))) statements.push(statement);
  expect(statements).toHaveLength(1);
  const [said] = statements;
  expect(said?.kind === "input" && expandVariables(said.text, { HOME: "wrong" })).toBe(text);
});
