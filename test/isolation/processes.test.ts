import { afterEach, describe, expect, it } from "vitest";
import type { StoredMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { chunk, ModelServer, type Reply, stalled, streamedText } from "../support/model-server.js";

const servers: ModelServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function serve(reply: Reply): Promise<ModelServer> {
  const server = await ModelServer.start(reply);
  servers.push(server);
  return server;
}

const historyOf = async (cli: Cli, user: string): Promise<StoredMessage[]> =>
  (await cli.json(["export", "-u", user])).messages;

/** The question and answer of each run. Fails unless the history is a sequence of whole runs. */
function runsIn(messages: readonly StoredMessage[]): [question: string, answer: string][] {
  expect(messages.map(({ role }) => role)).toEqual(
    messages.map((_, index) => (index % 2 === 0 ? "user" : "assistant")),
  );
  expect(messages.length % 2).toBe(0);
  return messages.flatMap((question, index) => {
    const answer = messages[index + 1];
    if (index % 2 === 1 || answer === undefined) return [];
    expect(answer.runId).toBe(question.runId);
    return [[question.content, answer.content]];
  });
}

/** Repeats the user's message. */
const echo: Reply = (response, request) => {
  const said = request.body.messages.at(-1).content;
  return streamedText(`You said: ${said}`)(response, request);
};

it("alice and bob each get their own name from processes that share only a file", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  const ask = async (user: string, text: string) =>
    (await cli.spawn(["ask", "--user", user, "--no-stdin", text])).stdout;
  await ask("alice", "My name is Alice");
  await ask("bob", "My name is Bob");
  expect(await ask("alice", "What's my name?")).toBe("Your name is Alice.\n");
  expect(await ask("bob", "What's my name?")).toBe("Your name is Bob.\n");
  expect(await ask("alice", "What's my name?")).toBe("Your name is Alice.\n");
  expect(await ask("carol", "What's my name?")).not.toMatch(/Alice|Bob/);
});

describe("four processes at once on one home", () => {
  const NAMES = ["w0", "w1", "w2", "w3"];

  it.each([
    ["the same user", () => "shared"],
    ["different users", (name: string) => `user-${name}`],
  ])("that ask for %s lose and mix up nothing", async (_, userOf) => {
    const server = await serve(echo);
    const cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m" });
    const worker = async (name: string) => {
      for (let index = 0; index < 2; index += 1) {
        const words = `${name} ${index}`;
        const args = ["ask", "--user", userOf(name), "--no-stdin", words];
        expect(await cli.spawn(args)).toMatchObject({
          code: 0,
          stdout: `You said: ${words}\n`,
          stderr: "",
        });
      }
    };
    await Promise.all(NAMES.map(worker));
    const users = [...new Set(NAMES.map(userOf))];
    const histories = await Promise.all(
      users.map(async (user) => runsIn(await historyOf(cli, user))),
    );
    for (const name of NAMES) {
      const own = histories[users.indexOf(userOf(name))] ?? [];
      expect(own.filter(([question]) => question.startsWith(name))).toEqual(
        [0, 1].map((index) => [`${name} ${index}`, `You said: ${name} ${index}`]),
      );
    }
    expect(histories.flat()).toHaveLength(8);
    // No request contains a message of another user.
    if (users.length === NAMES.length)
      for (const { body } of server.requests)
        expect(new Set(JSON.stringify(body.messages).match(/w\d/g)).size).toBe(1);
  });
});

it("kill -9 during a reply loses no acknowledged run and stores no partial one", async () => {
  const server = await serve(echo);
  const cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m" });
  const acknowledged: [string, string][] = [];
  for (let round = 0; round < 3; round += 1) {
    server.reply(echo);
    const words = `round ${round}`;
    const done = await cli.spawn(["ask", "-u", "alice", "--no-stdin", words]);
    expect(done.code).toBe(0);
    acknowledged.push([words, done.stdout.trimEnd()]);

    server.reply(stalled(chunk({ content: `half a reply ${round}` })));
    const killed = cli.start(["ask", "-u", "alice", "--no-stdin", `killed ${round}`]);
    await killed.shows(`half a reply ${round}`);
    killed.child.kill("SIGKILL");
    expect(await killed.result).toMatchObject({ signal: "SIGKILL" });
    expect(runsIn(await historyOf(cli, "alice"))).toEqual(acknowledged);
  }
  server.reply(echo);
  expect(await cli.run(["ask", "-u", "alice", "And now?"])).toMatchObject({ code: 0 });
  const sent = server.requests.at(-1)?.body.messages.map(({ role }: { role: string }) => role);
  expect(sent).toEqual([...acknowledged.flatMap(() => ["user", "assistant"]), "user"]);
});

it("kill -9 while a run is being stored leaves whole runs and all acknowledged ones", async () => {
  const server = await serve(echo);
  const cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m" });
  let acknowledged = 0;
  for (let round = 0; round < 4; round += 1) {
    const started = cli.start(["ask", "-u", "alice", "--no-stdin", `round ${round}`]);
    // The whole answer is on the screen, so the process is storing it or has just done so.
    await started.shows("You said: round");
    started.child.kill("SIGKILL");
    const { code } = await started.result;
    if (code === 0) acknowledged += 1;
    const runs = runsIn(await historyOf(cli, "alice"));
    expect(runs.length).toBeGreaterThanOrEqual(acknowledged);
    for (const [question, answer] of runs) expect(answer).toBe(`You said: ${question}`);
  }
});
