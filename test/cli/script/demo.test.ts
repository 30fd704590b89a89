import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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
  const { file, options } = countedPauses();
  const pty = demoInTerminal({ NODE_OPTIONS: options });
  await pty.waitFor("alice> ");
  expect(await pty.exited).toMatchObject({ exitCode: 0 });
  const milliseconds = Number(readFileSync(file, "utf8"));
  expect(milliseconds).toBeGreaterThan(5000);
  expect(milliseconds).toBeLessThan(9000);
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

/** Options of Node that let a process leave the sum of its pauses, in milliseconds, in a file. */
function countedPauses(): { file: string; options: string } {
  const folder = temporaryFolder();
  const [file, preload] = [path.join(folder, "pauses"), path.join(folder, "preload.cjs")];
  const program = `
    const timers = require("node:timers/promises");
    const { setTimeout: sleep } = timers;
    let sum = 0;
    timers.setTimeout = (ms, ...rest) => ((sum += ms), sleep(ms, ...rest));
    require("node:module").syncBuiltinESMExports();
    process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(file)}, String(sum)));`;
  writeFileSync(preload, program);
  return { file, options: `--require ${preload}` };
}

function demoInTerminal(more: Record<string, string> = {}): Pty {
  const env = { AGNO_CHAT_HOME: temporaryFolder(), ...more };
  const pty = new Pty({ file: process.execPath, args: [BIN, "demo"], env });
  onTestFinished(() => pty.close());
  return pty;
}
