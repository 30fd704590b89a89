import { expect, test } from "vitest";
import {
  chunk,
  type ModelServer,
  silence,
  stalled,
  streamedText,
} from "../../support/model-server.js";
import type { Pty } from "../../support/pty.js";
import {
  gatedReply,
  modelServer,
  sayAll,
  screenIs,
  startRepl,
  temporaryFolder,
} from "../../support/repl-session.js";

/** In milliseconds: less than any wait for a server, more than a busy machine needs. */
const INTERRUPT_LIMIT_MS = 10_000;

/** Resolves when the first word has arrived. The rest never does. */
async function isTalking(pty: Pty, server: ModelServer): Promise<void> {
  await pty.waitFor(() => server.requests.length === 1);
  await pty.waitFor(/alice>$/);
}

test.each([
  ["Ctrl-C", "ctrl-c"],
  ["Esc", "escape"],
] as const)("%s stops the reply at once; what was shown is kept, and marked", async (_, key) => {
  const server = await modelServer(
    stalled(chunk({ content: "Once upon a time" })),
    streamedText("ok"),
  );
  const pty = await startRepl({ server });
  pty.type("Tell me a story\r");
  await isTalking(pty, server);
  const pressed = performance.now();
  pty.press(key);
  await pty.waitFor("interrupted");
  expect(performance.now() - pressed).toBeLessThan(INTERRUPT_LIMIT_MS);
  await server.hungUp();
  await sayAll(pty, "/history");
  await screenIs(pty, [
    "alice> Tell me a story",
    "  Once upon a time",
    "  interrupted",
    "alice> /history",
    "  alice: Tell me a story",
    "  assistant: Once upon a time [interrupted]",
    "alice>",
  ]);
  await sayAll(pty, "Go on");
  expect(server.requests.at(-1)?.body.messages.map(({ role }: { role: string }) => role)).toEqual([
    "user",
    "assistant",
    "user",
  ]);
});

test("Ctrl-C clears the line, shows a hint on an empty one, and never leaves", async () => {
  const pty = await startRepl();
  pty.type("half typed");
  await pty.waitFor("half typed");
  pty.press("ctrl-c");
  await pty.waitFor((p) => p.screen.join("|") === "alice>");
  pty.press("ctrl-c");
  await pty.waitFor(/To leave: Ctrl-D or \/exit.\nalice>$/);
  pty.press("ctrl-c", "ctrl-c", "ctrl-c");
  await sayAll(pty, "/whoami");
  await pty.waitFor("alice, session default");
});

test("Ctrl-C stops a reply before its first word, keeps the draft and stores nothing", async () => {
  const server = await modelServer(silence(), streamedText("ok"));
  const pty = await startRepl({ server });
  pty.type("Are you there?\rhalf typed");
  await pty.waitFor("half typed");
  await pty.waitFor(() => server.requests.length === 1);
  pty.press("ctrl-c");
  await server.hungUp();
  await pty.waitFor(/interrupted\nalice> half typed$/);
  pty.press("ctrl-c");
  await pty.waitFor(/interrupted\nalice>$/);
  await sayAll(pty, "/size");
  await pty.waitFor("0 messages");
});

test("Ctrl-D leaves, even during a reply, and keeps the text that was shown", async () => {
  const home = temporaryFolder();
  const server = await modelServer(stalled(chunk({ content: "Once upon a time" })));
  const pty = await startRepl({ server, home });
  pty.type("Tell me a story\r");
  await isTalking(pty, server);
  pty.press("ctrl-d");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
  expect(pty.raw.trimEnd().endsWith("\x1b[?2004l\x1b[?25h")).toBe(true);
  const again = await startRepl({ home });
  await sayAll(again, "/history");
  await again.waitFor("assistant: Once upon a time [interrupted]");
});

test("a reply belongs to the user who asked, even after a switch, and lines wait their turn", async () => {
  const story = gatedReply("Once upon", " a time.");
  const server = await modelServer(story.reply, streamedText("Hello bob."), streamedText("More."));
  const pty = await startRepl({ server });
  pty.type("Tell me a story\r");
  await story.begun;
  await pty.waitFor(/alice>$/);
  pty.type("And then?\r");
  await pty.waitFor("↑ waits for its turn, as alice");
  pty.type("alice's secret");
  await pty.waitFor("alice> alice's secret");
  // A switch is a line of its own.
  pty.press("ctrl-a");
  pty.press("ctrl-k");
  pty.type("/user bob\r");
  await pty.waitFor(/bob>$/);
  pty.type("I am bob\r");
  await pty.waitFor("↑ waits for its turn, as bob");
  story.open();
  await pty.waitFor(/Hello bob\.\n.*0?\d s\n/);
  await screenIs(pty, [
    "alice> Tell me a story",
    "alice> And then?",
    "  ↑ waits for its turn, as alice",
    "alice> /user bob",
    "  The reply to alice goes on.",
    "  Now talking as bob, who is new.",
    "bob> I am bob",
    "  ↑ waits for its turn, as bob",
    "  Once upon a time.",
    "  to alice · test-model · about 9 tokens in, 9 out · 0.0 s",
    "  alice: And then?",
    "  to alice:",
    "  Hello bob.",
    "  to alice · test-model · about 9 tokens in, 9 out · 0.0 s",
    "  bob: I am bob",
    "  More.",
    "  test-model · about 9 tokens in, 9 out · 0.0 s",
    "bob>",
  ]);
  const sent = server.requests.map(({ body }) =>
    body.messages.map(({ content }: { content: string }) => content),
  );
  expect(sent).toEqual([
    ["Tell me a story"],
    ["Tell me a story", "Once upon a time.", "And then?"],
    ["I am bob"],
  ]);
});

test("a draft and cut text stay with their user", async () => {
  const pty = await startRepl();
  await sayAll(pty, "/user bob");
  pty.type("bob's half");
  await pty.waitFor("bob> bob's half");
  pty.press("ctrl-u");
  await sayAll(pty, "/user alice");
  pty.press("ctrl-y");
  pty.type("!");
  await pty.waitFor(/alice> !$/);
  pty.press("backspace");
  await sayAll(pty, "/user bob");
  pty.press("ctrl-y");
  await pty.waitFor(/bob> bob's half$/);
});

test("/session and /new apply to the lines after them, so each message reaches its session", async () => {
  const first = gatedReply("one", " done");
  const server = await modelServer(first.reply, streamedText("ok"));
  const pty = await startRepl({ server });
  pty.type("first\r");
  await first.begun;
  pty.type("still default\r/new work\rin work\r");
  await pty.waitFor((p) => p.screen.join("\n").split("waits for its turn").length === 3);
  await pty.waitFor("New session work of alice.");
  first.open();
  await pty.waitFor(() => server.requests.length === 3);
  await pty.waitFor(/alice\/work>$/);
  const sizes = server.requests.map(({ body }) => body.messages.length);
  expect(sizes).toEqual([1, 3, 1]);
});

test("Ctrl-C returns waiting lines unsent to the users who typed them, to edit or delete", async () => {
  const server = await modelServer(
    stalled(chunk({ content: "Once upon a time" })),
    streamedText("ok"),
  );
  const pty = await startRepl({ server });
  pty.type("Tell me a story\r");
  await isTalking(pty, server);
  pty.type("And then?\r/model other\r");
  await pty.waitFor(/waits for its turn.*waits for its turn/s);
  pty.type("/user bob\rI am bob\r/user alice\rhalf");
  await pty.waitFor(/alice> half$/);
  pty.press("ctrl-c");
  await pty.waitFor("2 waiting lines not sent: back at the prompt of alice");
  await pty.waitFor(/alice> And then\?\n… \/model other\n… half$/);
  await server.hungUp();
  pty.press("ctrl-c");
  await pty.waitFor(/alice>$/);
  pty.type("/user bob\r");
  await pty.waitFor(/bob> I am bob$/);
  pty.press("enter");
  await pty.waitFor(/ok\n.* s\nbob>$/);
  expect(server.requests.map(({ body }) => body.messages.at(-1).content)).toEqual([
    "Tell me a story",
    "I am bob",
  ]);
});

test("a pasted line that waited comes back as text, not as a command", async () => {
  const server = await modelServer(silence(), streamedText("ok"));
  const pty = await startRepl({ server });
  pty.type("Hello\r");
  await pty.waitFor(() => server.requests.length === 1);
  pty.type('"""\r/exit\r"""\r');
  await pty.waitFor("waits for its turn");
  pty.press("escape");
  await pty.waitFor(/alice> """\n… \/exit\n… """$/);
  pty.press("enter");
  await pty.waitFor(() => server.requests.length === 2);
  expect(server.requests[1]?.body.messages.at(-1).content).toBe("/exit");
});

test("commands that need no model run during a reply, and no spinner stays on the screen", async () => {
  const server = await modelServer(silence());
  const pty = await startRepl({ server });
  pty.type("Are you there?\r");
  await pty.waitFor(() => server.requests.length === 1);
  await pty.waitFor(/alice[^>] *$/);
  pty.type("/size\r/history\r/state\r/session work\r/sessions\rstill waiting\r");
  await pty.waitFor("waits for its turn");
  await pty.waitFor("* work: nothing yet");
  expect(pty.screen.join("\n")).toContain("alice: 0 messages in 0 runs");
  const rows = pty.screen.filter((row) => row.startsWith("alice")).slice(0, -1);
  expect(rows.slice(0, 6)).toEqual([
    "alice> Are you there?",
    "alice> /size",
    "alice> /history",
    "alice> /state",
    "alice> /session work",
    expect.stringMatching(/^alice(\/work)?> \/sessions$/),
  ]);
  pty.type("\r/exit\r");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
});
