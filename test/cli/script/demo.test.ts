import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BIN, Cli, temporaryFolder } from "../../support/cli.js";
import { Pty } from "../../support/pty.js";

const NOTES = 'remember {"remembered":"my meeting is at five"}';

test("the demo shows the same bytes every time, whatever the settings and environment", async () => {
  const cli = new Cli();
  const plain = await cli.spawn(["demo"]);
  expect(plain).toMatchObject({ code: 0 });
  expect(plain.stdout).toContain("bob> What's my name?\n  I don't know your name");
  expect(plain.stderr).toContain(NOTES);
  expect(plain.stderr).toMatch(/\ndemo\.chat: 20 inputs, 17 expectations, 0 failed\.\n$/);
  expect(await cli.spawn(["demo"])).toEqual(plain);

  writeFileSync(path.join(cli.home, "settings.json"), "{ not JSON");
  const env = {
    AGNO_CHAT_USER: "\u202ebob",
    AGNO_CHAT_MODEL: "gpt-5",
    AGNO_CHAT_STORE: "nonsense:",
    OPENAI_BASE_URL: "nonsense",
    OPENAI_API_KEY: "sk-of-nobody",
  };
  expect(await cli.spawn(["demo"], { env })).toEqual(plain);
  expect(readdirSync(cli.home)).toEqual(["settings.json"]);
});

test("the demo's --json is one document", async () => {
  expect(await new Cli().json(["demo"])).toEqual({
    ...{ ok: true, script: "demo.chat", inputs: 20, expectations: 17, failures: [] },
  });
});

test("on a terminal the demo is paced, and over within ten seconds", async () => {
  const started = performance.now();
  const pty = demoInTerminal();
  await pty.waitFor("alice> ");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
  const seconds = (performance.now() - started) / 1000;
  expect(seconds).toBeGreaterThan(5);
  expect(seconds).toBeLessThan(10);
  const shown = pty.everything;
  expect(shown).toContain(
    "  Nice to meet you, Alice! I will know your name as long as this conversation",
  );
  expect(shown).toContain("  lasts.");
  expect(shown.at(-1)).toBe("demo.chat: 20 inputs, 17 expectations, 0 failed.");
});

test("Ctrl-C ends the demo at once", async () => {
  const pty = demoInTerminal();
  await pty.waitFor("alice> ");
  pty.press("ctrl-c");
  expect(await pty.exited).toMatchObject({ exitCode: 130 });
});

function demoInTerminal(): Pty {
  const env = { AGNO_CHAT_HOME: temporaryFolder() };
  const pty = new Pty({ file: process.execPath, args: [BIN, "demo"], env });
  onTestFinished(() => pty.close());
  return pty;
}
