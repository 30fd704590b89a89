import { expect, test } from "vitest";
import { sayAll, startRepl } from "../../support/repl-session.js";

test("a failure in the chat is shown whole, however long the name in it", async () => {
  const pty = await startRepl();
  await sayAll(pty, "My name is Alice");
  pty.type(`/export ${"x".repeat(600)}.md\r`);
  await pty.waitFor(/\(ENAMETOOLONG\)/);
});

test("a remark that had to be cut ends with an ellipsis", async () => {
  const pty = await startRepl();
  await sayAll(pty, "My name is Alice");
  pty.type(`/export ${"x".repeat(2000)}.md\r`);
  await pty.waitFor(/x…\n/);
  expect(pty.screen.join("\n")).not.toContain("ENAMETOOLONG");
});
