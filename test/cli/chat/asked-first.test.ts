import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ModelServer, status, streamedText } from "../../support/model-server.js";
import { modelServer, openRepl, sayAll, temporaryFolder } from "../../support/repl-session.js";

const ALICE = ["-u", "alice", "-q"];

const lastMessages = (server: ModelServer) =>
  server.requests.at(-1)?.body.messages.map(({ content }: { content: string }) => content);

test("ask -i asks as if it had been typed, and goes on in the same conversation", async () => {
  const server = await modelServer(streamedText("Hello Alice"), streamedText("Again"));
  const pty = openRepl({ server, args: ["ask", "-i", "I am Alice", ...ALICE] });
  await pty.waitFor(/alice> I am Alice\n {2}Hello Alice\n.*\d s\nalice>$/);
  await sayAll(pty, "Who am I?");
  expect(lastMessages(server)).toEqual(["I am Alice", "Hello Alice", "Who am I?"]);
  pty.press("up");
  pty.press("up");
  await pty.waitFor(/alice> I am Alice$/);
});

test("ask -i sends what looks like a command as a message, and several lines as one", async () => {
  const server = await modelServer(streamedText("ok"));
  for (const text of ["/exit", "exit", "//x", "two\nlines", '"""'])
    await openRepl({ server, args: ["ask", "-i", "--", text] }).waitFor(/ok\n.*\n\w+>$/);
  expect(server.requests.map(({ body }) => body.messages[0].content)).toEqual([
    "/exit",
    "exit",
    "//x",
    "two\nlines",
    '"""',
  ]);
});

test("ask -i --new begins a session, and a failure leaves the chat open", async () => {
  const home = temporaryFolder();
  const first = openRepl({ home, args: ["ask", "-i", "Hello", ...ALICE] });
  await first.waitFor(/\d s\nalice>$/);
  const pty = openRepl({ home, args: ["-p", "Hello", "-i", "--new", ...ALICE] });
  await pty.waitFor(/\d s\nalice\/session-2>$/);
  const server = await modelServer(status(401));
  const refused = openRepl({ server, args: ["ask", "-i", "Hello", ...ALICE] });
  await refused.waitFor(/alice> Hello\n.*key.*\nalice>$/s);
});

test.each(["xterm-256color", "dumb"])(
  "ask -i -a sends files with the first message alone (TERM=%s)",
  async (TERM) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "notes.txt"), "Oslo in May");
    const server = await modelServer(streamedText("Seen"), streamedText("Again"));
    const args = ["ask", "-i", "-a", "notes.txt", "Look", ...ALICE];
    const pty = openRepl({ server, args, cwd, env: { TERM } });
    await pty.waitFor(/Seen\n[\s\S]*alice>$/);
    pty.type("Go on\r");
    await pty.waitFor(/Again\n[\s\S]*alice>$/);
    expect(lastMessages(server)).toEqual([expect.stringContaining("Oslo in May"), "Seen", "Go on"]);
  },
);

test("ask -i without a message, or with -, is refused", async () => {
  const empty = openRepl({ args: ["ask", "-i"] });
  await empty.waitFor('The prompt is empty. Give one: agno-chat ask -i "Hello"');
  const dash = openRepl({ args: ["ask", "-i", "-"], columns: 120 });
  await dash.waitFor("The prompt - reads stdin, but -i needs it for the chat.");
  expect(await dash.exited).toMatchObject({ exitCode: 2 });
});

test("TERM=dumb: ask -i prints the question after the prompt, then reads on", async () => {
  const server = await modelServer(streamedText("Hello"), streamedText("Again"));
  const pty = openRepl({
    server,
    args: ["ask", "-i", "I am Alice", ...ALICE],
    env: { TERM: "dumb" },
  });
  await pty.waitFor(/alice> I am Alice\nHello\nalice>$/);
  pty.type("Who am I?\r");
  await pty.waitFor(/Again\nalice>$/);
  expect(lastMessages(server)).toEqual(["I am Alice", "Hello", "Who am I?"]);
});
