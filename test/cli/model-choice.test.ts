import { afterEach, describe, expect, it } from "vitest";
import { chooseModel } from "../../src/cli/model-choice.js";
import { resolveSettings } from "../../src/cli/settings/settings.js";
import { Cli } from "../support/cli.js";
import { ModelServer, status, streamedText } from "../support/model-server.js";

const KEY = "sk-environment-0123456789abcdef";
const OTHER_KEY = "sk-other-0123456789abcdef";
const DEMO_NOTE = /^Using the built-in demo model\. For a real one: [^\n]+\n$/;

const servers: ModelServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function serve(models: readonly string[] = ["only-model"]): Promise<ModelServer> {
  const server = await ModelServer.start(streamedText("Hello from the server."), { models });
  servers.push(server);
  return server;
}

const keysSeenBy = (server: ModelServer) =>
  server.requests.map(({ headers }) => headers.authorization ?? null);

describe("the demo model", () => {
  it("answers when nothing was named, and says so in one line on stderr", async () => {
    const { code, stdout, stderr } = await new Cli().run(["ask", "My name is Alice"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Alice");
    expect(stderr).toMatch(DEMO_NOTE);
  });

  it("says nothing when it was named, by flag or environment", async () => {
    expect(await new Cli().run(["ask", "Hi", "-m", "demo"])).toMatchObject({ stderr: "" });
    const named = new Cli({ AGNO_CHAT_MODEL: "demo", OPENAI_API_KEY: KEY });
    expect(await named.run(["ask", "Hi"])).toMatchObject({ code: 0, stderr: "" });
  });

  it("never stands in for a model that was named", async () => {
    const { code, stderr } = await new Cli().run(["ask", "Hi", "-m", "gpt-5"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^agno-chat: The model "gpt-5" needs a key or a server\. [^\n]+\n$/);
  });
});

describe("a server", () => {
  it("with one model needs no name for it", async () => {
    const server = await serve();
    const document = await new Cli().json(["ask", "Hi", "--base-url", server.url]);
    expect(document).toMatchObject({
      ok: true,
      model: "only-model",
      reply: "Hello from the server.",
    });
    expect(server.requests[0]?.body.model).toBe("only-model");
  });

  it.each([[["a-model", "b-model"]], [[]]])(
    "with the models %j wants one named",
    async (models) => {
      const server = await serve(models);
      const { code, stderr } = await new Cli().run(["ask", "Hi", "--base-url", server.url]);
      expect(code).toBe(3);
      for (const model of models) expect(stderr).toContain(model);
      expect(stderr).toContain("--model");
      expect(server.requests).toHaveLength(0);
    },
  );

  it("is asked for the model that was named, without looking at its list", async () => {
    const server = await serve([]);
    const args = ["ask", "Hi", "--base-url", server.url, "-m", "mine"];
    expect(await new Cli().json(args)).toMatchObject({ model: "mine" });
  });

  it("shows its models", async () => {
    const server = await serve(["a-model", "b-model"]);
    const args = ["models", "--base-url", server.url];
    expect(await new Cli().run(args)).toEqual({
      code: 0,
      stdout: "a-model\nb-model\n",
      stderr: "",
    });
    expect(await new Cli().json(args)).toEqual({ ok: true, models: ["a-model", "b-model"] });
  });

  it("that never lists its models fails after --timeout", async () => {
    const server = await ModelServer.start(streamedText("x"), { models: () => {} });
    servers.push(server);
    for (const command of [["ask", "Hi"], ["models"]]) {
      const args = [...command, "--base-url", server.url, "--timeout", "0.05"];
      const { code, stderr } = await new Cli().run(args);
      expect(code).toBe(4);
      expect(stderr).toContain("within 0.05 s");
    }
  });
});

describe("a key", () => {
  it("of the environment goes to a server of the environment", async () => {
    const server = await serve();
    await new Cli({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url }).run(["ask", "Hi"]);
    expect(keysSeenBy(server)).toEqual([`Bearer ${KEY}`]);
  });

  it("of the environment never goes to a --base-url flag", async () => {
    const seen: unknown[] = [];
    const server = await ModelServer.start(streamedText("ok"), {
      models: (response, request) => {
        seen.push(request.headers.authorization);
        return status(200, { data: [{ id: "only-model" }] })(response, request);
      },
    });
    servers.push(server);
    const cli = new Cli({ OPENAI_API_KEY: KEY });
    expect(await cli.run(["ask", "Hi", "--base-url", server.url])).toMatchObject({ code: 0 });
    expect(keysSeenBy(server)).toEqual([null]);
    expect(seen).toEqual([undefined]);
  });

  it("goes there when --api-key-env says so", async () => {
    const server = await serve();
    const cli = new Cli({ OPENAI_API_KEY: KEY, OTHER_KEY });
    const args = ["ask", "Hi", "--base-url", server.url, "--api-key-env"];
    await cli.run([...args, "OTHER_KEY"]);
    await cli.run([...args, "OPENAI_API_KEY"]);
    expect(keysSeenBy(server)).toEqual([`Bearer ${OTHER_KEY}`, `Bearer ${KEY}`]);
  });

  it("of the settings file goes with a server of the settings file, and with no other", async () => {
    const [own, foreign] = [await serve(), await serve()];
    const cli = new Cli();
    await cli.run(["config", "set", "baseUrl", own.url]);
    await cli.run(["config", "set", "apiKey"], { input: `${OTHER_KEY}\n` });
    await cli.run(["ask", "Hi"]);
    expect(keysSeenBy(own)).toEqual([`Bearer ${OTHER_KEY}`]);
    await cli.run(["ask", "Hi", "--base-url", foreign.url]);
    await cli.run(["ask", "Hi"], { env: { OPENAI_BASE_URL: foreign.url } });
    expect(keysSeenBy(foreign)).toEqual([null, null]);
  });

  it.each([
    ["https://api.openai.com/v1", KEY],
    ["https://api.openai.com.evil.example/v1", undefined],
    ["http://api.openai.com/v1", undefined],
    ["https://evil.example/https://api.openai.com/v1", undefined],
  ])(
    "of the environment goes with --base-url %s only if that is OpenAI's own",
    (baseUrl, apiKey) => {
      const env = { OPENAI_API_KEY: KEY };
      const settings = resolveSettings({ flags: { baseUrl }, env, file: {}, home: "/nowhere" });
      expect(chooseModel(settings, env)).toMatchObject({ endpoint: { baseUrl, apiKey } });
    },
  );

  it("that --api-key-env names but is not set is exit code 3", async () => {
    const server = await serve();
    const args = ["ask", "Hi", "--base-url", server.url, "--api-key-env", "NO_SUCH_KEY"];
    const { code, stderr } = await new Cli().run(args);
    expect(code).toBe(3);
    expect(stderr).toContain("NO_SUCH_KEY is not set");
  });

  it("given in place of a variable's name is not repeated", async () => {
    for (const key of [KEY, "gsk_abcdefghijklmnop0123456789"]) {
      const { code, stdout, stderr } = await new Cli().run(["ask", "Hi", "--api-key-env", key]);
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(key);
    }
  });
});
