import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dropped, status, streamedText } from "../../support/model-server.js";
import type { Pty } from "../../support/pty.js";
import {
  gatedReply,
  modelServer,
  openRepl,
  sayAll,
  screenIs,
  startRepl,
  temporaryFolder,
} from "../../support/repl-session.js";

const COLOUR = /\x1b\[[1-9][\d;]*m/;

/** The last bytes turn off bracketed paste and show the cursor. */
const isRestored = ({ raw }: Pty): boolean =>
  raw.lastIndexOf("\x1b[?2004l") > raw.lastIndexOf("\x1b[?2004h") &&
  raw.lastIndexOf("\x1b[?25h") > raw.lastIndexOf("\x1b[?25l");

test("the first screen names the model, the store and what to try; -q hides it", async () => {
  const home = temporaryFolder();
  const pty = await startRepl({ home, args: ["--user", "alice"], columns: 120 });
  await screenIs(pty, [
    "  agno-chat: one agent, many users, each with a history of their own",
    "  Model: demo, built in and offline (for a real one: agno-chat config)",
    `  Store: sqlite:${home}/chat.db`,
    "  Try: My name is Alice · /user bob · What's my name? · /help",
    "  Talking as alice, who is new.",
    "alice>",
  ]);
  const quiet = await startRepl({ home });
  await sayAll(quiet, "/size");
  await screenIs(quiet, ["alice> /size", "  alice: 0 messages in 0 runs, 9 bytes", "alice>"]);
});

test("at 40 columns no row is cut, and wide characters keep their place", async () => {
  const reply =
    "日本語の文章はこのように折り返されます。 naïve 👩‍👩‍👧 e\u0301 and then a few more words.";
  const server = await modelServer(streamedText(reply));
  const pty = await startRepl({ server, columns: 40 });
  await sayAll(pty, "你好，世界", "/history");
  const rows = pty.screen;
  expect(rows[0]).toBe("alice> 你好，世界");
  const shown = rows.slice(
    1,
    rows.findIndex((row) => row.includes("test-model")),
  );
  expect(shown.length).toBeGreaterThan(1);
  expect(shown.every((row) => row.startsWith("  "))).toBe(true);
  expect(shown.join("").replace(/\s/g, "")).toBe(reply.replace(/\s/g, ""));
});

test("a resize during a reply loses nothing and leaves one prompt", async () => {
  const words = (from: number) =>
    Array.from({ length: 20 }, (_, index) => `word${from + index}`).join(" ");
  const story = gatedReply(`${words(0)} `, words(20));
  const server = await modelServer(story.reply);
  const pty = await startRepl({ server, columns: 80 });
  pty.type("go\r");
  await pty.waitFor("word10");
  pty.type("half typed");
  await pty.waitFor("half typed");
  pty.resize(44, 24);
  await pty.waitFor(/alice> half typed$/);
  story.open();
  await pty.waitFor(/ s\nalice> half typed$/);
  const { everything } = pty;
  const text = everything.join(" ");
  for (let index = 0; index < 40; index++) expect(text).toContain(`word${index}`);
  expect(everything.filter((row) => row.startsWith("alice> half"))).toHaveLength(1);
});

test.each([
  ["a terminal", {}, [], true],
  ["NO_COLOR", { NO_COLOR: "1" }, [], false],
  ["--no-color", {}, ["--no-color"], false],
  ["NO_COLOR and FORCE_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }, [], false],
] as const)("colour follows %s", async (_, env, args, colourful) => {
  const pty = await startRepl({ env, args: ["-u", "alice", "-q", ...args] });
  await sayAll(pty, "/nonsense", "Hello");
  expect(COLOUR.test(pty.raw)).toBe(colourful);
  // Without colour, not even a colour reset is sent.
  expect(/\x1b\[[\d;]*m/.test(pty.raw)).toBe(colourful);
});

test.each([
  ["/exit", (pty: Pty) => pty.type("/exit\r"), { exitCode: 0 }],
  ["Ctrl-D", (pty: Pty) => pty.press("ctrl-d"), { exitCode: 0 }],
  ["SIGTERM", (pty: Pty) => pty.kill("SIGTERM"), { exitCode: 143 }],
  ["SIGHUP", (pty: Pty) => pty.kill("SIGHUP"), { exitCode: 129 }],
  ["SIGQUIT", (pty: Pty) => pty.kill("SIGQUIT"), { exitCode: 131 }],
] as const)("%s restores the terminal", async (_, leave, exit) => {
  const pty = await startRepl();
  await sayAll(pty, "/whoami");
  leave(pty);
  expect(await pty.exited).toMatchObject(exit);
  expect(isRestored(pty)).toBe(true);
});

test("input typed during the start is sent line by line, and an unfinished line is the draft", async () => {
  const pty = openRepl();
  pty.type("/whoami\r/size\rhalf typed");
  await pty.waitFor(
    /alice, session default.*alice: 0 messages in 0 runs, \d bytes\nalice> half typed$/s,
  );
  pty.press("enter");
  await pty.waitFor(/half typed\n(.*\n)+alice>$/);
});

test("a command typed ahead sees what the commands before it did", async () => {
  const pty = openRepl();
  pty.type("/new work\r/whoami\r/user bob\r/whoami\r");
  await pty.waitFor(/alice, session work,(.*\n)*.*bob, session default,/);
});

test("SIGTERM also ends a question and a streaming reply", async () => {
  const story = gatedReply("Once", "");
  const pty = await startRepl({ server: await modelServer(story.reply) });
  pty.type("go\r");
  await story.begun;
  pty.type("/user\r");
  await pty.waitFor("Talk as");
  pty.kill("SIGTERM");
  expect(await pty.exited).toMatchObject({ exitCode: 143 });
  expect(isRestored(pty)).toBe(true);
});

test("a failure is one line, the REPL goes on, and the history is unchanged", async () => {
  const server = await modelServer(
    status(401, { error: { message: "bad key" } }),
    dropped(),
    dropped(),
    dropped(),
    streamedText("ok"),
  );
  const pty = await startRepl({ server, columns: 200 });
  await sayAll(pty, "one");
  const failures = () => pty.screen.filter((row) => /^ {2}\S.*\b(key|server|reach)/i.test(row));
  expect(failures()).toHaveLength(1);
  await sayAll(pty, "/size");
  await pty.waitFor("0 messages");
  await server.close();
  pty.type("two\r");
  await pty.waitFor((p) => p.screen.filter((row) => row.includes("127.0.0.1")).length > 0);
  await pty.waitFor(/\nalice>$/);
  await sayAll(pty, "/history");
  await pty.waitFor("Nothing yet in session default of alice.");
});

test.each([
  [
    "a store that is none",
    4,
    (home: string) => writeFileSync(`${home}/chat.db`, "no database"),
    [],
  ],
  ["a model without a key", 3, () => {}, ["--model", "gpt-9"]],
  ["a user id that is none", 2, () => {}, ["--user", "a\u200bb"]],
] as const)(
  "a start that fails ends with one line and its code: %s",
  async (_, exitCode, prepare, args) => {
    const home = temporaryFolder();
    prepare(home);
    const pty = openRepl({ home, columns: 200, args: ["-q", ...args] });
    expect(await pty.exited).toMatchObject({ exitCode });
    expect(pty.everything.filter((row) => row.startsWith("agno-chat: "))).toHaveLength(1);
    expect(isRestored(pty)).toBe(pty.raw.includes("?2004h"));
  },
);

test("shows the causes of a failure only under --debug, with keys masked", async () => {
  const server = await modelServer(status(401, { error: { message: "no sk-abcdefghijkl here" } }));
  const pty = await startRepl({
    server,
    columns: 120,
    args: ["-u", "alice", "-q", "-m", "m", "--debug"],
  });
  pty.type("Hello\r");
  await pty.waitFor(/^ {2}AgnoChatError: /m);
  expect(pty.everything).not.toContain("abcdefghijkl");
});
