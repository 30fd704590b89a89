import { afterEach, describe, expect, it } from "vitest";
import { Cli, type CliResult } from "../support/cli.js";
import { CONTROLS, HOSTILE } from "../support/hostile-text.js";
import { chunk, ModelServer, streamed, streamedText } from "../support/model-server.js";

const servers: ModelServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function cliWith(server: Promise<ModelServer>): Promise<Cli> {
  servers.push(await server);
  return new Cli({ OPENAI_BASE_URL: servers[0]?.url, AGNO_CHAT_MODEL: "m" });
}

function expectHarmless({ stdout, stderr }: CliResult): void {
  expect(stdout).not.toMatch(CONTROLS);
  expect(stderr).not.toMatch(CONTROLS);
}

describe("hostile text from a model", () => {
  it("has no effect on the terminal in any pieces, and is stored exactly", async () => {
    const cli = await cliWith(ModelServer.start());
    for (const text of HOSTILE.filter((wild) => wild.isWellFormed())) {
      servers[0]?.reply(
        streamed(...text.split("").map((content) => chunk({ content })), chunk({}, "stop")),
      );
      const asked = await cli.run(["ask", "Say it"]);
      expect(asked.code).toBe(0);
      expectHarmless(asked);
      const { messages } = await cli.json(["export"]);
      expect(messages.at(-1).content).toBe(text);
    }
    for (const args of [
      ["export"],
      ["export", "--format", "md"],
      ["context"],
      ["users"],
      ["size"],
    ]) {
      expectHarmless(await cli.run(args));
      if (!args.includes("--format")) expectHarmless(await cli.run([...args, "--json"]));
    }
  });

  it("has no effect on the terminal in the JSON document of ask", async () => {
    const text = HOSTILE.filter((wild) => wild.isWellFormed()).join(" ");
    const cli = await cliWith(ModelServer.start(streamedText(text)));
    const result = await cli.run(["ask", "Say it", "--json"]);
    expectHarmless(result);
    expect(JSON.parse(result.stdout).reply).toBe(text);
  });
});

it("hostile arguments have no effect on the terminal in any error message", async () => {
  const cli = new Cli();
  for (const wild of HOSTILE.map((text) => `\x1b[2J${text}`))
    for (const args of [
      [wild],
      ["size", "--user", wild],
      ["size", `--${wild}`],
      ["config", wild],
      ["config", "get", wild],
      ["export", "--format", wild],
      ["size", "--store", wild],
      ["ask", "Hi", "--model", wild],
      ["ask", "Hi", "--base-url", wild],
      ["ask", "Hi", "--timeout", wild],
      ["run", wild],
    ]) {
      const result = await cli.run(args);
      expect([args, result.code]).toEqual([
        args,
        expect.toSatisfy((code) => [2, 3].includes(code)),
      ]);
      expectHarmless(result);
      expect(result.stderr).toMatch(/^agno-chat: [^\n]+\n$/);
    }
});
