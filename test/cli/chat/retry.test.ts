import { afterEach, beforeEach, expect, test } from "vitest";
import { Cli } from "../../support/cli.js";
import { ModelServer, silence, status, streamedText } from "../../support/model-server.js";
import { gatedReply, modelServer, sayAll, startRepl } from "../../support/repl-session.js";

const REFUSED = status(401, { error: { message: "Incorrect API key" } });
const BROKEN = status(501, "no");

let server: ModelServer;
let cli: Cli;

beforeEach(async () => {
  server = await ModelServer.start();
  cli = new Cli({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "local", AGNO_CHAT_USER: "alice" });
});

afterEach(() => server.close());

/** Runs the lines as piped input, which must succeed. */
async function type(...lines: readonly string[]) {
  const result = await cli.run([], { input: `${lines.join("\n")}\n` });
  expect(result).toMatchObject({ code: 0 });
  return result;
}

const kept = async (user = "alice"): Promise<string[]> =>
  (await cli.json(["export", "-u", user])).messages.map(
    ({ content }: { content: string }) => content,
  );

/** The last request to the model, without instructions. */
const sent = (): string[] =>
  server.requests.at(-1)?.body.messages.map(({ content }: { content: string }) => content);

test.each([
  ["401", REFUSED, "MODEL_AUTH"],
  ["501", BROKEN, "MODEL_REJECTED"],
])(
  "/retry after a message that failed with %s sends that one again, and says so",
  async (...row) => {
    const [, failure, code] = row;
    server.reply(streamedText("One."), failure, streamedText("Two."));
    const { stderr } = await type("First", "Second", `?fails ${code}`, "/retry");
    expect(stderr).toContain("Asking again: Second\n");
    expect(sent()).toEqual(["First", "One.", "Second"]);
    expect(await kept()).toEqual(["First", "One.", "Second", "Two."]);
  },
);

test("a failed message belongs to the user who sent it, even after a switch of user or session", async () => {
  server.reply(REFUSED, streamedText("For bob."), streamedText("For alice."));
  await type(
    ...["Only alice's", "?fails MODEL_AUTH"],
    ...["/user bob", "/retry", "?fails USAGE", "Bob's", "/user alice"],
    ...["/new work", "/retry", "?fails USAGE", "/session default", "/retry"],
  );
  expect(sent()).toEqual(["Only alice's"]);
  expect(await kept("bob")).toEqual(["Bob's", "For bob."]);
  expect(await kept()).toEqual(["Only alice's", "For alice."]);
});

test("a message that failed with /as bob is retried by bob", async () => {
  server.reply(REFUSED, streamedText("For bob."));
  await type("/as bob Bob's", "?fails MODEL_AUTH", "/retry", "?fails USAGE", "/user bob", "/retry");
  expect(await kept("bob")).toEqual(["Bob's", "For bob."]);
  expect(await kept()).toEqual([]);
});

test("/clear forgets the failed message", async () => {
  server.reply(streamedText("One."), REFUSED);
  await cli.run(["-y"], {
    input: "First\nSecond\n?fails MODEL_AUTH\n/clear\n/retry\n?fails USAGE\n",
  });
  expect(server.requests).toHaveLength(2);
});

test("a failed message that was answered later is not retried", async () => {
  server.reply(REFUSED, streamedText("Two."), streamedText("Again."));
  await type("First", "?fails MODEL_AUTH", "Second", "/retry");
  expect(sent()).toContain("Second");
  expect(sent()).not.toContain("First");
});

test("/retry after an answer replaces it with a new one", async () => {
  server.reply(streamedText("One."), streamedText("Two."), streamedText("Three."));
  const { stderr } = await type("First", "Second", "/retry", "?size 4");
  expect(stderr).toContain("Asking again, in place of the last answer: Second\n");
  expect(sent()).toEqual(["First", "One.", "Second"]);
  expect(await kept()).toEqual(["First", "One.", "Second", "Three."]);
});

test("a failed retry keeps the earlier answer, and the next retry still replaces it", async () => {
  server.reply(streamedText("One."), BROKEN, streamedText("Two."));
  const { stderr } = await type("First", "/retry", "?fails MODEL_REJECTED", "?size 2", "/retry");
  expect(stderr).toContain("The last answer stays.\n");
  expect(await kept()).toEqual(["First", "Two."]);
});

test("Ctrl-C before the first word: /retry sends the stopped message", async () => {
  const server = await modelServer(silence(), streamedText("Here."));
  const pty = await startRepl({ server });
  pty.type("Tell me\r");
  await pty.waitFor(() => server.requests.length === 1);
  pty.press("ctrl-c");
  await pty.waitFor("interrupted");
  await sayAll(pty, "/retry");
  await pty.waitFor(/Asking again: Tell me\n {2}Here\.\n/);
  await sayAll(pty, "/size");
  await pty.waitFor("alice: 2 messages in 1 run");
});

test("Ctrl-C after some words: /retry replaces the stopped run", async () => {
  const story = gatedReply("Once upon ", "a time");
  const server = await modelServer(story.reply, streamedText("The end."));
  const pty = await startRepl({ server });
  pty.type("Tell me\r");
  await pty.waitFor("Once upon");
  pty.press("ctrl-c");
  await pty.waitFor("interrupted");
  await sayAll(pty, "/retry");
  await pty.waitFor(/Asking again, in place of the last answer: Tell me\n {2}The end\.\n/);
  await sayAll(pty, "/size");
  await pty.waitFor("alice: 2 messages in 1 run");
});
