import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { streamedCalls, streamedText } from "../../support/model-server.js";
import {
  gatedReply,
  modelServer,
  sayAll,
  screenIs,
  shown,
  startRepl,
  temporaryFolder,
} from "../../support/repl-session.js";

test("alice and bob talk to one agent, and neither learns the other's name, even after a restart", async () => {
  const home = temporaryFolder();
  const pty = await startRepl({ home });
  await sayAll(pty, "My name is Alice", "/user bob", "What's my name?", "/user alice");
  await sayAll(pty, "What's my name?");
  await screenIs(pty, [
    "alice> My name is Alice",
    "  Nice to meet you, Alice! I will know your name as long as this conversation",
    "  lasts.",
    "  demo · about 9 tokens in, 9 out · 0.0 s",
    "alice> /user bob",
    "  Now talking as bob, who is new.",
    "bob> What's my name?",
    "  I don't know your name: you have not told me in this conversation.",
    "  demo · about 9 tokens in, 9 out · 0.0 s",
    "bob> /user alice",
    "  Now talking as alice: 2 messages, the last just now.",
    "alice> What's my name?",
    "  Your name is Alice.",
    "  demo · about 9 tokens in, 9 out · 0.0 s",
    "alice>",
  ]);
  pty.type("/exit\r");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });

  const again = await startRepl({ home });
  await sayAll(again, "What's my name?");
  await screenIs(again, [
    "alice> What's my name?",
    "  Your name is Alice.",
    "  demo · about 9 tokens in, 9 out · 0.0 s",
    "alice>",
  ]);
  again.press("up");
  await again.waitFor("alice> What's my name?\n  Your");
  again.press("up", "up", "up");
  await again.waitFor(/alice> \/user bob$/);
});

test("every list names its user", async () => {
  const pty = await startRepl({ args: ["-u", "alice", "-q", "--tools", "notes,clock"] });
  await sayAll(pty, "My name is Alice", "/as bob Hello");
  pty.press("ctrl-l");
  await sayAll(
    pty,
    "/users",
    "/whoami",
    "/size",
    "/sessions",
    "/new work",
    "/sessions",
    "/state",
    "/tools",
    "/session default",
  );
  await screenIs(pty, [
    "    bob: 2 messages in 1 session",
    "  * alice: 2 messages in 1 session",
    "alice> /whoami",
    "  alice, session default, answered by demo",
    "alice> /size",
    "  alice: 2 messages in 1 run, 9 bytes",
    "    tokens used: about 9 input, 9 output",
    "    oldest: 2026-01-01 00:00 UTC, newest: 2026-01-01 00:00 UTC",
    "    sent to the model: up to 200 messages of a session; none left out",
    "alice> /sessions",
    "  * default: 2 messages",
    "alice> /new work",
    "  New session work of alice.",
    "alice/work> /sessions",
    "    default: 2 messages",
    "  * work: nothing yet",
    "alice/work> /state",
    "  No session state of alice.",
    "alice/work> /tools",
    "  notes: remember, recall, forget",
    "  clock: current_time",
    "alice/work> /session default",
    "  Session default of alice: 2 messages, the last just now.",
    "alice>",
  ]);
});

test("/history, /context and /export show the whole session; only its owner can read a file", async () => {
  const folder = temporaryFolder();
  const pty = await startRepl({ cwd: folder });
  await sayAll(pty, "My name is Alice");
  pty.press("ctrl-l");
  await sayAll(pty, "/system Be brief.", "/history", "/context", "/export", "/export alice.json");
  await screenIs(pty, [
    "  assistant: Nice to meet you, Alice! I will know your name as long as this",
    "  conversation lasts.",
    "alice> /context",
    "  [system] Be brief.",
    "  [user] My name is Alice",
    "  [assistant] Nice to meet you, Alice! I will know your name as long as this",
    "  conversation lasts.",
    "  [tokens] about 42, 36 of them history",
    "alice> /export",
    "  # alice, session default",
    "",
    "  Exported 2026-01-01 00:00 UTC · model demo",
    "",
    "  ## user · 2026-01-01T00:00",
    "",
    "  My name is Alice",
    "",
    "  ## assistant · 2026-01-01T00:00",
    "",
    "  Nice to meet you, Alice! I will know your name as long as this conversation",
    "  lasts.",
    "alice> /export alice.json",
    "  Wrote 2 messages of alice to alice.json.",
    "alice>",
  ]);
  const file = path.join(folder, "alice.json");
  expect(JSON.parse(readFileSync(file, "utf8")).messages).toHaveLength(2);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("/search finds words in all sessions of the user, and in none of another", async () => {
  const pty = await startRepl({ server: await modelServer(streamedText("**Stripes**.")) });
  await sayAll(pty, "A zebra, ".repeat(12), "/session work", "My ZEBRA", "/as bob zebra of bob");
  pty.press("ctrl-l");
  await sayAll(pty, "/search zebra", "/search stripes", "/search lion", "/search");
  await screenIs(pty, [
    "alice/work> /search zebra",
    "  work · just now",
    "    alice: My ZEBRA",
    "  default · just now",
    "    alice: A zebra, A zebra, A zebra, A zebra, A zebra, A zebra, A zebra, A",
    "    zebra, A zebra, A zebra, A zebra, A zebra,",
    "alice/work> /search stripes",
    "  work · just now",
    "    assistant: **Stripes**.",
    "  default · just now",
    "    assistant: **Stripes**.",
    "alice/work> /search lion",
    "  Nothing of alice matches: lion (attached files are not searched)",
    "alice/work> /search",
    "  There is nothing to search for. Give words that the messages have in common.",
    "alice/work>",
  ]);
});

test("in /history no line of a message looks like another message", async () => {
  const pty = await startRepl({
    server: await modelServer(streamedText("Well.\n\nalice: forged")),
  });
  await sayAll(pty, "Hello");
  pty.press("ctrl-l");
  await sayAll(pty, "/history");
  await screenIs(pty, [
    "alice> /history",
    "  alice: Hello",
    "  assistant:",
    "    Well.",
    "",
    "    alice: forged",
    "alice>",
  ]);
});

test("/history shows replies as they were painted", async () => {
  const pty = await startRepl({
    server: await modelServer(streamedText("It is **so**:\n\n- one\n")),
    columns: 60,
  });
  await sayAll(pty, "Is it **so**?");
  pty.press("ctrl-l");
  await sayAll(pty, "/history");
  await screenIs(pty, [
    "alice> /history",
    "  alice: Is it **so**?",
    "  assistant:",
    "    It is so:",
    "",
    "    • one",
    "alice>",
  ]);
});

test("/clear asks, then deletes the history and typed input of alice, and nothing of bob", async () => {
  const home = temporaryFolder();
  const pty = await startRepl({ home });
  await sayAll(pty, "My name is Alice", "/as bob Hello");
  const input = path.join(home, "input");
  expect(readdirSync(input)).toHaveLength(2);
  pty.type("/clear\r");
  await pty.waitFor("Delete 2 messages of alice? (y/N)");
  pty.type("n\r");
  await pty.waitFor(/Nothing deleted.\nalice>$/);
  expect(readdirSync(input)).toHaveLength(2);
  pty.type("/clear\r");
  await pty.waitFor(/alice\? \(y\/N\)$/);
  pty.type("y\r");
  await pty.waitFor(/Deleted 2 messages of alice.\nalice>$/);
  expect(readdirSync(input)).toHaveLength(1);
  await sayAll(pty, "What's my name?", "/users");
  await pty.waitFor("I don't know your name");
  await pty.waitFor("bob: 2 messages");
});

test("AGNO_CHAT_NO_HISTORY keeps typed input off the disk", async () => {
  const home = temporaryFolder();
  const pty = await startRepl({ home, env: { AGNO_CHAT_NO_HISTORY: "1" } });
  await sayAll(pty, "Hello");
  expect(existsSync(path.join(home, "input"))).toBe(false);
  pty.press("up");
  await pty.waitFor(/alice> Hello$/);
});

test("a message sent as bob is kept in bob's history and bob's typed input", async () => {
  const pty = await startRepl();
  await sayAll(pty, "/as bob My name is Bob");
  await screenIs(pty, [
    "alice> /as bob My name is Bob",
    "  to bob:",
    "  Nice to meet you, Bob! I will know your name as long as this conversation",
    "  lasts.",
    "  to bob · demo · about 9 tokens in, 9 out · 0.0 s",
    "alice>",
  ]);
  pty.press("up");
  pty.type("alice's own\r");
  await pty.waitFor(/alice> alice's own\n[\s\S]*alice>$/);
  await sayAll(pty, "/user bob");
  pty.press("up");
  await pty.waitFor(/bob> My name is Bob$/);
  pty.press("enter");
  await pty.waitFor(/bob> My name is Bob\n[\s\S]*\nbob>$/);
});

test("a message to an invalid user id is kept as typed, by who typed it, and by nobody else", async () => {
  const home = temporaryFolder();
  const pty = await startRepl({ home });
  pty.type("/as zoe\u0308 Hello\r");
  await pty.waitFor(/Invalid user id "zoe\\u0308"[\s\S]*\nalice>$/);
  const files = readdirSync(path.join(home, "input"));
  expect(files).toHaveLength(1);
  pty.press("up");
  await pty.waitFor(/alice> \/as zoe\u0308 Hello$/);
});

test("/user alone lists all users with their messages, filters as you type, and accepts a new name", async () => {
  const pty = await startRepl();
  await sayAll(pty, "Hello", "/as bob Hello", "/as bobby Hello");
  pty.type("/user\r");
  await pty.waitFor(/alice \(now\).*2 messages/);
  pty.type("bobb");
  await pty.waitFor((p) => !p.screen.join("\n").includes("alice (now)"));
  pty.press("enter");
  await pty.waitFor(/Now talking as bobby: 2 messages, the last just now.\nbobby>$/);
  pty.type("/user\r");
  await pty.waitFor(/bobby \(now\)/);
  pty.press("ctrl-c");
  await pty.waitFor(/\/user\n {2}Now talking as bobby: 2 messages, the last just now.\nbobby>$/);
});

test("an unknown command gets a suggestion and no model call; a path and //x are text", async () => {
  const server = await modelServer(streamedText("ok"));
  const pty = await startRepl({ server });
  await sayAll(pty, "/usr", "/xyzzy", "/usr/bin is a folder", "//usr", "exit the building");
  await screenIs(pty, [
    "alice> /usr",
    "  There is no command /usr. Did you mean /user?",
    "alice> /xyzzy",
    "  There is no command /xyzzy. See /help; //text sends text that begins with a",
    "  slash.",
    "alice> /usr/bin is a folder",
    "  ok",
    "  test-model · about 9 tokens in, 9 out · 0.0 s",
    "alice> //usr",
    "  ok",
    "  test-model · about 9 tokens in, 9 out · 0.0 s",
    "alice> exit the building",
    "  ok",
    "  test-model · about 9 tokens in, 9 out · 0.0 s",
    "alice>",
  ]);
  const said = server.requests.map(({ body }) => body.messages.at(-1).content);
  expect(said).toEqual(["/usr/bin is a folder", "/usr", "exit the building"]);
  pty.type("quit\r");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
});

test("/retry and /copy take the user's own last message, never another's", async () => {
  const server = await modelServer(
    streamedText("For alice:\n\n```js\nlet a;\n```\n"),
    streamedText("for bob"),
    streamedText("again"),
  );
  const pty = await startRepl({ server });
  await sayAll(
    pty,
    "alice asks",
    "/as bob bob asks",
    "/copy",
    "/copy code",
    "/user carol",
    "/copy",
    "/retry",
  );
  await pty.waitFor("There is no reply to copy.");
  await pty.waitFor("There is no question to ask again.");
  const copied = [...pty.raw.matchAll(/\]52;c;([^\x07]*)\x07/g)].map(([, text = ""]) =>
    Buffer.from(text, "base64").toString(),
  );
  expect(copied).toEqual(["For alice:\n\n```js\nlet a;\n```\n", "let a;\n"]);
  await sayAll(pty, "/user alice", "/retry");
  await pty.waitFor(/again/);
  expect(server.requests.at(-1)?.body.messages.at(-1).content).toBe("alice asks");
});

test("/edit shows the saved text before it is sent, and keeps it in place of the command", async () => {
  const folder = temporaryFolder();
  const editor = path.join(folder, "editor.sh");
  writeFileSync(editor, '#!/bin/sh\nprintf "My name is Alice\\n" > "$1"\n', { mode: 0o700 });
  const pty = await startRepl({ env: { VISUAL: editor } });
  pty.type("/edit\r");
  await pty.waitFor(/alice> My name is Alice$/);
  pty.press("enter");
  await pty.waitFor(/Nice to meet you, Alice!(.*\n)+.* s\nalice>$/);
  pty.press("up");
  await pty.waitFor(/alice> My name is Alice$/);
  pty.press("up", "ctrl-u");
  writeFileSync(editor, "#!/bin/sh\n", { mode: 0o700 });
  await sayAll(pty, "/edit");
  await pty.waitFor(/Nothing written.\nalice>$/);
});

test("/edit accepts quotes in EDITOR, and the saved text is never a command", async () => {
  const EDITOR = `sh -c 'printf "/exit\\nnow \\"%s\\"" "two words" > "$1"' editor`;
  const pty = await startRepl({ env: { EDITOR } });
  pty.type("/edit\r");
  await pty.waitFor(/alice> """\n… \/exit\n… now "two words"\n… """$/);
});

test("/model and /system take effect with the next message", async () => {
  const server = await modelServer(streamedText("ok"));
  const pty = await startRepl({ server });
  await sayAll(pty, "/model other-model", "/system Be brief.", "/model", "/system", "Hello");
  await screenIs(pty, [
    "alice> /model other-model",
    "  Answered by other-model from now on, for everyone here.",
    "alice> /system Be brief.",
    "  The model is given these instructions from now on, for everyone here.",
    "alice> /model",
    "  other-model",
    "alice> /system",
    "  Be brief.",
    "alice> Hello",
    "  ok",
    "  other-model · about 9 tokens in, 9 out · 0.0 s",
    "alice>",
  ]);
  const { model, messages } = server.requests[0]?.body ?? {};
  expect(model).toBe("other-model");
  expect(messages[0]).toMatchObject({ content: "Be brief." });
});

test("a spinner turns during a wait, even after a tool call, without moving the typed text", async () => {
  const answer = gatedReply("Noted", ".");
  const server = await modelServer(
    streamedCalls({ name: "remember", arguments: { text: "milk" } }),
    async (...call) => {
      await typed;
      await answer.reply(...call);
    },
  );
  let allow = (): void => {};
  const typed = new Promise<void>((resolve) => {
    allow = resolve;
  });
  const pty = await startRepl({ server, args: ["-u", "alice", "-q", "--tools", "notes"] });
  pty.type("Remember milk\r");
  await pty.waitFor(/· remember .*\nalice[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]$/);
  pty.type("next");
  await pty.waitFor(/\nalice[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] next$/);
  allow();
  await pty.waitFor(/\nalice> next$/);
  answer.open();
  await pty.waitFor(/ s\nalice> next$/);
});

test("a tool call is one dim line with its duration, and a failed one says so", async () => {
  const server = await modelServer(
    streamedCalls({ name: "remember", arguments: { text: "milk" } }, { name: "nonsense" }),
    streamedText("Noted."),
  );
  const pty = await startRepl({ server, args: ["-u", "alice", "-q", "--tools", "notes"] });
  pty.type("Remember milk\r");
  // The first empty prompt is not the last: another one comes between the tools and the reply.
  await pty.waitFor(/ out · .*\nalice>$/);
  expect(shown(pty).split("\n")).toEqual([
    "alice> Remember milk",
    expect.stringMatching(/^ {2}· nonsense \(0 ms\) failed: /),
    expect.stringMatching(/^ {2}· remember \(0 ms\) .*milk/),
    "  Noted.",
    "  test-model · about 9 tokens in, 9 out · 0.0 s",
    "alice>",
  ]);
  await sayAll(pty, "/state");
  await pty.waitFor(/\/state\n {2}.*milk/);
});
