import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Cli } from "../support/cli.js";
import { ModelServer, status } from "../support/model-server.js";

/** A flag, or a command of agno-chat in code marks. */
const COMMAND_LINE = /(?<![\w-])--[a-z][a-z-]*|`agno-chat [a-z]+/g;

const EXCEPTED = [
  "verify/doors/command-line.ts", // a door of verify that is the command line itself
  "data/erasure/collect-garbage.ts", // a flag of V8
  "memory/stores/sqlite/damage.ts", // findings of `store check`, with a whole command to copy
  "data/erasure/collect-garbage.ts", // a flag of V8
];

it("keeps flags and commands out of the library", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => !file.startsWith("cli") && !EXCEPTED.includes(file))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.join("src", file));
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(COMMAND_LINE)].map(([words]) => `${file}: ${words}`),
  );
  expect(found).toEqual([]);
});

describe("a failed command names the next step in flags and commands", () => {
  let server: ModelServer | undefined;
  afterEach(() => server?.close());

  const stderrOf = async (args: readonly string[], env = {}): Promise<string> =>
    (await new Cli(env).run([...args])).stderr;

  it("when the server wants a key", async () => {
    server = await ModelServer.start(status(401, "no"));
    const args = ["ask", "Hi", "--base-url", server.url, "--model", "m"];
    expect(await stderrOf(args)).toMatch(/requires an API key.*--api-key-env.*agno-chat config/);
  });

  it("when OpenAI is asked without a key", async () => {
    const args = ["ask", "Hi", "--base-url", "https://api.openai.com/v1", "--model", "m"];
    expect(await stderrOf(args)).toMatch(/needs an API key\. Set OPENAI_API_KEY, or .*--base-url/);
  });

  it("when the server does not have the model", async () => {
    server = await ModelServer.start(status(404, { error: { message: "model not found" } }));
    const args = ["ask", "Hi", "--base-url", server.url, "--model", "m"];
    expect(await stderrOf(args)).toMatch(/has no model m: .*`agno-chat models`/);
  });

  it("when the server does not list its models", async () => {
    server = await ModelServer.start([], { models: status(404, "no") });
    expect(await stderrOf(["models", "--base-url", server.url])).toMatch(
      /Name the model with --model/,
    );
  });

  it("when the list of models is something else", async () => {
    server = await ModelServer.start([], { models: status(200, { ok: true }) });
    expect(await stderrOf(["models", "--base-url", server.url])).toMatch(
      /Name the model with --model/,
    );
  });

  it("also as the hint of --json", async () => {
    server = await ModelServer.start(status(401, "no"));
    const args = ["ask", "Hi", "--base-url", server.url, "--model", "m", "--json"];
    const { error } = JSON.parse((await new Cli().run(args)).stdout);
    expect(error.hint).toContain("--api-key-env");
  });
});
