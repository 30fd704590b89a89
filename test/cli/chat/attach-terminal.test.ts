import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chunk, stalled, streamedText } from "../../support/model-server.js";
import { modelServer, startRepl, temporaryFolder } from "../../support/repl-session.js";

it("/attach in a terminal keeps a file for its user, across a switch", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "notes.txt"), "Oslo in May");
  const pty = await startRepl({ cwd: folder });
  pty.type("/attach notes.txt");
  pty.press("enter");
  await pty.waitFor("notes.txt (text/plain, 11 bytes) goes with your next message.");
  pty.type("/user bob");
  pty.press("enter");
  await pty.waitFor("Now talking as bob");
  pty.type("Thanks");
  pty.press("enter");
  await pty.waitFor("You're welcome!");
  pty.type("/user alice");
  pty.press("enter");
  await pty.waitFor("Now talking as alice");
  pty.type("What is it?");
  pty.press("enter");
  await pty.waitFor("I got a file: “notes.txt” (text, 11 bytes).");
  expect(pty.screen.join("\n")).not.toContain("Oslo");
});

it("Ctrl-C gives a message back that waited, and leaves it the file that waited before it", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "notes.txt"), "Oslo in May");
  const server = await modelServer(stalled(chunk({ content: "Once" })), streamedText("Oslo"));
  const pty = await startRepl({ server, cwd: folder });
  pty.type("Tell me a story\r");
  await pty.waitFor(() => server.requests.length === 1);
  pty.type("/attach notes.txt\rWhat is it?\r");
  await pty.waitFor(/waits for its turn.*waits for its turn/s);
  pty.press("ctrl-c");
  await pty.waitFor("1 waiting line not sent: back at the prompt of alice");
  await pty.waitFor(/goes with your next message\.\nalice> What is it\?$/);
  pty.press("enter");
  await pty.waitFor(() => server.requests.length === 2);
  const sent = server.requests[1]?.body.messages.at(-1).content;
  expect(sent).toContain("What is it?");
  expect(sent).toContain("Oslo in May");
});

it("Tab after /attach offers the names of files, with blanks too, and folders", async () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, "pictures"));
  for (const name of ["my notes.txt", "pictures/of oslo.txt", "pictures/.hidden"])
    writeFileSync(join(cwd, name), "Oslo");
  const pty = await startRepl({ cwd });
  pty.type("/attach my");
  pty.press("tab");
  await pty.waitFor(/> \/attach my notes\.txt$/);
  pty.press("ctrl-u");
  pty.type("/attach p");
  pty.press("tab");
  await pty.waitFor(/> \/attach pictures\/$/);
  pty.press("tab");
  await pty.waitFor(/> \/attach pictures\/of oslo\.txt$/);
});
