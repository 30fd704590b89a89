import { expect, test } from "vitest";
import { sayAll, screenIs, startRepl, temporaryFolder } from "../../support/repl-session.js";

test("Esc closes the user picker, and the next typed line is a message", async () => {
  const pty = await startRepl();
  await sayAll(pty, "Hello");
  pty.type("/user\r");
  await pty.waitFor("Talk as");
  pty.press("escape");
  await pty.waitFor(/alice>$/);
  pty.type("/whoami");
  await pty.waitFor(/alice> \/whoami$/);
  expect(pty.screen.join("\n")).not.toContain("Talk as");
});

test("a command typed where a user is asked for makes no user of that name", async () => {
  const pty = await startRepl();
  pty.type("/user\r");
  await pty.waitFor("Talk as");
  pty.type("/user bob");
  await pty.waitFor("/user bob (new)");
  pty.press("enter");
  await pty.waitFor('A user was asked for, but got "/user bob". Type the name alone');
  await pty.waitFor(/alice>$/);
});

test("Esc closes a confirmation, and nothing is deleted", async () => {
  const pty = await startRepl();
  await sayAll(pty, "Hello");
  pty.type("/clear\r");
  await pty.waitFor("(y/N)");
  pty.press("escape");
  await pty.waitFor(/alice>$/);
  await sayAll(pty, "/size");
  await pty.waitFor("alice: 2 messages");
});

test("Ctrl-D closes a question, not the program", async () => {
  const pty = await startRepl();
  await sayAll(pty, "Hello");
  pty.type("/clear\r");
  await pty.waitFor("(y/N)");
  pty.press("ctrl-d");
  await pty.waitFor(/alice>$/);
  await sayAll(pty, "/whoami");
});

test("an empty picker asks for a name, and offers the typed one once as new", async () => {
  const pty = await startRepl();
  pty.type("/user\r");
  await pty.waitFor("Talk as (type a name)");
  pty.type("carol");
  await pty.waitFor("carol (new)");
  pty.press("tab", "tab");
  pty.type("a");
  await pty.waitFor("carola (new)");
  expect(pty.screen.join("\n")).not.toContain("(new) (new)");
  pty.press("backspace");
  await pty.waitFor("carol (new)");
  pty.press("enter");
  await pty.waitFor(/carol>$/);
});

test("a terminal report or a paste during a question does not answer it", async () => {
  const pty = await startRepl();
  pty.type("/user\r");
  await pty.waitFor("Talk as");
  pty.type("\x1b]11;rgb:1e1e/1e1e/1e1e\x07\x1b[24;80R\x1b[?1;2cdora");
  await pty.waitFor("dora (new)");
  pty.paste("\x1b[A two\r");
  await pty.waitFor("(new)");
  expect(pty.screen.join("\n")).toMatch(/Talk as \(type a name\) dora/);
  pty.press("ctrl-c");
  await pty.waitFor(/alice>$/);
});

test("a late terminal report is not typed, and opens no editor", async () => {
  const pty = await startRepl({ home: temporaryFolder(), env: { EDITOR: "echo opened; false" } });
  pty.type("a\x1b]11;rgb:1e1e/1e1e/1e1e\x07\x1b[24;80R\x1b[?64;1;2c\x1b[<0;1;2Mb");
  await screenIs(pty, ["alice> ab"]);
});
