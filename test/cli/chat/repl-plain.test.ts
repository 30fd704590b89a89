import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  chunk,
  type ModelServer,
  silence,
  stalled,
  streamedText,
} from "../../support/model-server.js";
import { Pty } from "../../support/pty.js";
import { modelServer, openRepl, shown, temporaryFolder } from "../../support/repl-session.js";

const DUMB = { TERM: "dumb", LANG: "C.UTF-8" };

const dumb = (server: ModelServer, home = temporaryFolder()): Pty =>
  openRepl({ server, home, env: DUMB, columns: 120 });

test("TERM=dumb is a plain line reader: prompt, line, answer, and no control sequence", async () => {
  const reply = "**Hello** Alice, `code` and\n\n- a list\n";
  const pty = dumb(await modelServer(streamedText(reply)));
  await pty.waitFor(/alice>$/);
  pty.type("My name is Alice\r");
  await pty.waitFor(/alice> My name is Alice\n.*Hello.*\n\n- a list\nalice>$/s);
  pty.type("/help\r");
  await pty.waitFor(/\/exit .*\n(.*\n)*.*Ctrl-C stops a reply\nalice>$/);
  expect(shown(pty)).not.toMatch(/Ctrl-[GJR]|Esc|Tab/);
  pty.type("/user bob\r");
  await pty.waitFor(/Now talking as bob.*\nbob>$/);
  pty.type("/nope\r");
  await pty.waitFor(/no command \/nope.*\nbob>$/);
  pty.type('"""\r/exit\r"""\r');
  await pty.waitFor(/- a list\nbob>$/);
  pty.press("ctrl-d");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
  expect(pty.raw).not.toContain("\x1b");
});

test("TERM=dumb with FORCE_COLOR colours the prompt, and sends no other control sequence", async () => {
  const env = { ...DUMB, FORCE_COLOR: "1" };
  const pty = openRepl({ server: await modelServer(streamedText("ok")), env });
  await pty.waitFor(/alice>$/);
  pty.type("Hello\r");
  await pty.waitFor(/ok\nalice>$/);
  expect(pty.raw).toMatch(/\x1b\[[\d;]+malice/);
  expect(pty.raw.replace(/\x1b\[[\d;]*m/g, "")).not.toContain("\x1b");
});

test("TERM=dumb: Ctrl-C stops only the reply, and shows a hint on an empty line", async () => {
  const server = await modelServer(
    stalled(chunk({ content: "Once upon" })),
    silence(),
    streamedText("ok"),
  );
  const pty = dumb(server);
  await pty.waitFor(/alice>$/);
  pty.press("ctrl-c");
  await pty.waitFor(/To leave: Ctrl-D or \/exit\.\nalice>$/);
  pty.type("Tell me\r");
  await pty.waitFor("Once upon");
  pty.press("ctrl-c");
  await pty.waitFor(/interrupted\nalice>$/);
  pty.type("And now?\r");
  await pty.waitFor(() => server.requests.length === 2);
  pty.press("ctrl-c");
  await pty.waitFor(/interrupted\n(.*\n)*.*interrupted\nalice>$/);
  pty.type("Go on\r");
  await pty.waitFor(/ok\nalice>$/);
  pty.type("/exit\r");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
});

test("TERM=dumb: a line answers a question, and Ctrl-C means no", async () => {
  const pty = dumb(await modelServer(streamedText("ok")));
  pty.type("Hello\r");
  await pty.waitFor(/ok\nalice>$/);
  pty.type("/clear\r");
  await pty.waitFor(/\(y\/N\)$/);
  pty.press("ctrl-c");
  await pty.waitFor(/\nalice>$/);
  pty.type("/size\r");
  await pty.waitFor("alice: 2 messages");
  pty.type("/clear\r");
  await pty.waitFor(/\(y\/N\)$/);
  pty.type("y\r");
  await pty.waitFor(/alice>$/);
  pty.type("/user\r");
  await pty.waitFor(/Talk as:$/);
  pty.type("/user bob\r");
  await pty.waitFor(/A user was asked for, but got "\/user bob"\.[^>]+alice>$/);
  pty.type("/user\r");
  await pty.waitFor(/Talk as:$/);
  pty.type("bob\r");
  await pty.waitFor(/bob>$/);
});

test("TERM=dumb: /help lists nothing that cannot work there", async () => {
  const pty = dumb(await modelServer(streamedText("ok")));
  pty.type("/help\r");
  await pty.waitFor(/\/exit[\s\S]+alice>$/);
  expect(pty.screen.join("\n")).not.toMatch(/\/copy|\/edit/);
});

test("a terminal that closes ends the plain reader cleanly, and keeps the text that was shown", async () => {
  const home = temporaryFolder();
  const pty = dumb(await modelServer(stalled(chunk({ content: "Once upon" }))), home);
  pty.type("Tell me\r");
  await pty.waitFor("Once upon");
  pty.hangUp();
  expect(await pty.exited).toMatchObject({ exitCode: 129, signal: 0 });
  const again = dumb(await modelServer(streamedText("ok")), home);
  again.type("/history\r");
  await again.waitFor("Once upon");
});

/** A shell line in a terminal; `$CHAT` is the program. */
function shell(line: string, home: string): Pty {
  const chat = `"${process.execPath}" "${path.resolve("bin/agno-chat.js")}" -u alice -q -m demo`;
  const pty = new Pty({
    file: "/bin/sh",
    args: ["-c", line.replaceAll("$CHAT", chat)],
    env: { AGNO_CHAT_HOME: home },
    columns: 120,
  });
  onTestFinished(() => pty.close());
  return pty;
}

test("with output in a pipe, the pipe gets only answers, the terminal prompts and remarks", async () => {
  const home = temporaryFolder();
  const log = path.join(home, "log");
  const pty = shell(`$CHAT | tee "${log}"`, home);
  await pty.waitFor(/alice>$/);
  pty.type("My name is Alice\r");
  // Output through the pipe may arrive before or after the next prompt.
  await pty.waitFor("Nice to meet you, Alice!");
  pty.type("/user bob\r");
  await pty.waitFor(/bob>$/);
  pty.type("/size\r");
  await pty.waitFor("bob: 0 messages");
  pty.press("ctrl-d");
  await pty.exited;
  expect(pty.raw).not.toMatch(/\x1b\[(?![\d;]*m)/);
  const logged = readFileSync(log, "utf8");
  expect(logged).not.toContain("\x1b");
  expect(logged).not.toContain(">");
  expect(logged).toMatch(/^.*Alice.*\nbob: 0 messages in 0 runs, \d+ bytes\n$/s);
});

test("with input from a pipe, the terminal gets the answers and no line editor", async () => {
  const pty = shell("printf 'My name is Alice\\n/size\\n' | $CHAT", temporaryFolder());
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
  expect(pty.everything.join("\n")).toContain("alice: 2 messages in 1 run");
  expect(pty.raw).not.toMatch(/\x1b\[\?2004h|alice>/);
});

test("a question is shown even if stderr is not a terminal", async () => {
  const home = temporaryFolder();
  const pty = shell(`$CHAT 2> "${home}/errors"`, home);
  await pty.waitFor(/alice>$/);
  pty.type("Hello\r");
  await pty.waitFor(/ s\nalice>$/);
  pty.type("/clear\r");
  await pty.waitFor("(y/N)");
  pty.type("y");
  await pty.waitFor(/\(y\/N\) y/);
  pty.press("enter");
  await pty.waitFor(/alice>$/);
});
