import { expect, test } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { Cli } from "../support/cli.js";
import { ModelServer, silence, streamedText } from "../support/model-server.js";
import { ask, newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { Command, chat, cleanUp, ask as post, temporaryFolder } from "./support.js";

const server = (await postgresUrl()) ?? "";

const SESSIONS = 4;

/** A server on this database, with leases. */
function serveLeased(store: string, model: ModelServer): Command {
  const args = ["serve", "--port", "0", "--quiet", "--json", "--lease", "--history", "1000"];
  const named = ["--store", store, "--base-url", model.url, "--model", "test-model"];
  return new Command(temporaryFolder(), [...args, ...named]);
}

async function urlOf(command: Command): Promise<string> {
  await expect.poll(() => command.stdout).toMatch(/\n$/);
  return JSON.parse(command.stdout).url;
}

async function modelServer(...replies: Parameters<typeof ModelServer.start>): Promise<ModelServer> {
  const model = await ModelServer.start(...replies);
  cleanUp(() => model.close());
  return model;
}

test.skipIf(server === "")(
  "of 200 runs of one user that overlap on two servers, each sees all before it",
  async () => {
    const store = await newDatabase(server);
    const model = await modelServer((response, request) => {
      const { messages } = request.body as { messages: readonly { role: string }[] };
      const count = messages.filter(({ role }) => role === "user").length;
      return streamedText(`${count}`)(response, request);
    });
    const servers = [serveLeased(store, model), serveLeased(store, model)];
    const urls = await Promise.all(servers.map(urlOf));
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, run) => {
        const session = `session ${run % SESSIONS}`;
        const body = { user_id: "alice", session_id: session, message: `message ${run}` };
        const { json } = await post(`${urls[run % 3 === 0 ? 0 : 1]}/chat`, { body });
        return `${session}: ${json.reply}`;
      }),
    );
    const memory = new PostgresMemory(store);
    cleanUp(() => memory.close());
    for (let session = 0; session < SESSIONS; session += 1) {
      const sessionId = `session ${session}`;
      const stored = await memory.getMessages("alice", { sessionId });
      const replies = stored.filter(({ role }) => role === "assistant");
      const inOrder = Array.from({ length: 200 / SESSIONS }, (_, run) => `${run + 1}`);
      expect(replies.map(({ content }) => content)).toEqual(inOrder);
      for (const each of inOrder) expect(answers).toContain(`${sessionId}: ${each}`);
    }
  },
  30_000,
);

test.skipIf(server === "")(
  "the user of a server that is killed is free again after the lease time",
  async () => {
    const store = await newDatabase(server);
    const model = await modelServer([silence(), streamedText("in time")]);
    const killed = serveLeased(store, model);
    const other = serveLeased(store, model);
    const urls = await Promise.all([killed, other].map(urlOf));
    const arrived = model.nextRequest();
    const lost = chat({ url: urls[0] as string }, "alice", "lost").catch(() => "lost");
    await arrived;
    killed.child.kill("SIGKILL");
    expect(await lost).toBe("lost");
    const answer = chat({ url: urls[1] as string }, "alice", "again");
    const held = "FROM agno_chat.leases WHERE expires_at < clock_timestamp() + interval '30 s'";
    await expect
      .poll(() => ask(store, `SELECT ${held} AND next_holder IS NOT NULL`))
      .toHaveLength(1);
    await ask(store, "UPDATE agno_chat.leases SET expires_at = clock_timestamp()");
    expect(await answer).toMatchObject({ status: 200, json: { reply: "in time" } });
    expect(await ask(store, "SELECT FROM agno_chat.leases")).toEqual([]);
  },
  30_000,
);

test("a store that cannot keep leases is refused before anything starts", async () => {
  const cli = new Cli();
  for (const command of [["serve", "--port", "0"], ["ask", "hi"], []])
    for (const store of ["memory:", `sqlite:${cli.home}/chat.db`]) {
      const { code, stdout, stderr } = await cli.run(
        [...command, "--lease", "--quiet", "--store", store],
        { input: "hi\n" },
      );
      expect({ code, stdout, stderr }).toEqual({
        code: 2,
        stdout: "",
        stderr:
          "agno-chat: This memory cannot keep runs of several servers in order. Name a PostgreSQL " +
          "database with --store, or do without --lease (AGNO_CHAT_LEASE=false).\n",
      });
    }
});

test("a lease in the environment is not for the memory of a script of its own", async () => {
  const env = { AGNO_CHAT_LEASE: "true" };
  const options = { env: { ...env, AGNO_CHAT_HOME: undefined }, input: "hi\n" };
  const { code, stderr } = await new Cli().run(["run", "-"], options);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect((await new Cli().run(["ask", "hi"], { env })).code).toBe(2);
});

test("a lease can be set for good", async () => {
  const cli = new Cli();
  await cli.run(["config", "set", "lease", "true"]);
  expect(await cli.json(["config", "get", "lease"])).toMatchObject({
    value: "true",
    origin: "settings file",
  });
  expect((await cli.run(["ask", "hi"])).code).toBe(2);
  expect((await cli.run(["ask", "hi"], { env: { AGNO_CHAT_LEASE: "false" } })).code).toBe(0);
  const { code, stderr } = await cli.run(["config", "set", "lease", "maybe"]);
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("must be true or false"),
  });
});
