import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Cli } from "../../support/cli.js";
import { ModelServer, streamedText } from "../../support/model-server.js";

const servers: ModelServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function serve(): Promise<ModelServer> {
  const server = await ModelServer.start(streamedText("Hello."));
  servers.push(server);
  return server;
}

const keysSeenBy = ({ requests }: ModelServer) =>
  requests.map(({ headers }) => headers.authorization ?? null);

const inFile = (cli: Cli) => JSON.parse(readFileSync(path.join(cli.home, "settings.json"), "utf8"));

/** A command line whose settings file names a server and the command that prints its key. */
async function withCommand(command: string): Promise<{ cli: Cli; server: ModelServer }> {
  const server = await serve();
  const cli = new Cli();
  await cli.run(["config", "set", "baseUrl", server.url]);
  await cli.run(["config", "set", "apiKey", `!${command}`]);
  return { cli, server };
}

describe("a key command", () => {
  test("is stored as it was given, and its key is sent only to its own server", async () => {
    const { cli, server } = await withCommand("echo sk-printed");
    const other = await serve();
    expect(inFile(cli)).toMatchObject({ apiKey: "!echo sk-printed" });
    expect(await cli.run(["ask", "Hi"])).toMatchObject({ code: 0, stdout: "Hello.\n" });
    await cli.run(["ask", "Hi", "--base-url", other.url]);
    await cli.run(["ask", "Hi"], { env: { OPENAI_BASE_URL: other.url } });
    expect(keysSeenBy(server)).toEqual(["Bearer sk-printed"]);
    expect(keysSeenBy(other)).toEqual([null, null]);
    expect(inFile(cli)).toMatchObject({ apiKey: "!echo sk-printed" });
  });

  test("lists models with that key", async () => {
    const seen: unknown[] = [];
    const server = await ModelServer.start([], {
      models: (response, { headers }) => {
        seen.push(headers.authorization);
        response.end(JSON.stringify({ data: [{ id: "one" }] }));
      },
    });
    servers.push(server);
    const cli = new Cli();
    await cli.run(["config", "set", "baseUrl", server.url]);
    await cli.run(["config", "set", "apiKey", "!echo sk-printed"]);
    expect(await cli.run(["models"])).toMatchObject({ code: 0, stdout: "one\n" });
    expect(seen).toEqual(["Bearer sk-printed"]);
  });

  test("runs only for a command that opens a model", async () => {
    const { cli } = await withCommand("touch $RAN; echo sk-printed");
    const ran = path.join(cli.home, "ran");
    const env = { RAN: ran, PATH: process.env.PATH };
    for (const args of [["config", "list"], ["config", "get", "apiKey"], ["size"], ["users"]])
      await cli.run(args, { env });
    await cli.run(["ask", "Hi", "-m", "demo"], { env });
    expect(existsSync(ran)).toBe(false);
    await cli.run(["ask", "Hi"], { env });
    expect(existsSync(ran)).toBe(true);
  });

  test("is shown whole, since it is not a secret", async () => {
    const { cli } = await withCommand("pass show openai");
    expect((await cli.run(["config", "get", "apiKey"])).stdout).toBe("!pass show openai\n");
    expect((await cli.run(["config", "list"])).stdout).toMatch(
      /apiKey +!pass show openai +settings/,
    );
  });

  test.each([[[]], [["--json"]], [["--debug"]]])(
    "that fails is exit code 3, and its output is never shown %j",
    async (flags) => {
      const { cli, server } = await withCommand("echo sk-out; echo sk-err >&2; exit 9");
      const { code, stdout, stderr } = await cli.spawn(["ask", "Hi", ...flags]);
      expect(code).toBe(3);
      expect(stdout + stderr).toContain("exit code 9");
      expect(stdout + stderr).not.toMatch(/sk-/);
      expect(server.requests).toHaveLength(0);
    },
  );

  test("in the environment counts as a key and is masked", async () => {
    const server = await serve();
    const ran = path.join(new Cli().home, "ran");
    const key = `!touch${"$IFS"}${ran}`;
    const cli = new Cli({ OPENAI_API_KEY: key, OPENAI_BASE_URL: server.url, NAMED: key });
    await cli.run(["ask", "Hi"]);
    await cli.run(["ask", "Hi", "--api-key-env", "NAMED"]);
    expect(keysSeenBy(server)).toEqual([`Bearer ${key}`, `Bearer ${key}`]);
    expect(existsSync(ran)).toBe(false);
    expect((await cli.run(["config", "get", "apiKey"])).stdout).toBe(`…${key.slice(-4)}\n`);
  });
});

describe("a key in the settings file", () => {
  test("is removed with its server, so that no other server is ever sent it", async () => {
    for (const setting of ["apiKey", "apiKeyEnv"]) {
      const [first, second] = [await serve(), await serve()];
      const cli = new Cli({ MY_KEY: "sk-first-0123456789" });
      await cli.run(["config", "set", "baseUrl", first.url]);
      if (setting === "apiKeyEnv") await cli.run(["config", "set", "apiKeyEnv", "MY_KEY"]);
      else await cli.run(["config", "set", "apiKey"], { input: "sk-first-0123456789" });
      await cli.run(["config", "set", "baseUrl", first.url]);
      await cli.run(["ask", "Hi"]);
      expect(keysSeenBy(first)).toEqual(["Bearer sk-first-0123456789"]);
      const { stderr } = await cli.run(["config", "set", "baseUrl", second.url]);
      expect(stderr).toContain("The key belonged to the previous server and was removed.");
      await cli.run(["ask", "Hi"]);
      expect(keysSeenBy(second)).toEqual([null]);
    }
  });

  test("is removed when its server is unset, so that OpenAI is never sent it", async () => {
    const cli = new Cli();
    await cli.run(["config", "set", "baseUrl", "http://127.0.0.1:9/v1"]);
    await cli.run(["config", "set", "apiKey"], { input: "sk-first" });
    await cli.run(["config", "unset", "baseUrl"]);
    expect(inFile(cli)).toEqual({});
  });

  test("is sent to its server, even if the environment has a key for OpenAI", async () => {
    const server = await serve();
    const cli = new Cli({ OPENAI_API_KEY: "sk-environment" });
    await cli.run(["config", "set", "baseUrl", server.url]);
    await cli.run(["ask", "Hi"]);
    await cli.run(["config", "set", "apiKey"], { input: "sk-file" });
    await cli.run(["ask", "Hi"]);
    expect(keysSeenBy(server)).toEqual([null, "Bearer sk-file"]);
  });

  test("is readable only by its owner, even in a file that was open to all", async () => {
    const cli = new Cli();
    const file = path.join(cli.home, "settings.json");
    writeFileSync(file, "{}", { mode: 0o644 });
    await cli.run(["config", "set", "apiKey"], { input: "sk-file" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
