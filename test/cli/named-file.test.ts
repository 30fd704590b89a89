import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Cli, temporaryFolder } from "../support/cli.js";

function makePipe(): string {
  const pipe = path.join(temporaryFolder(), "pipe");
  execFileSync("mkfifo", [pipe]);
  return pipe;
}

const SCHEMA = JSON.stringify({ type: "object" });
const PRICES = JSON.stringify({ currency: "USD", models: {} });
const EXPORT = JSON.stringify({ role: "user", content: "Hello" });

describe.skipIf(process.platform === "win32")("a pipe in place of a file", () => {
  test.each([
    ["run", ["run", "--model", "demo"], "Hi\n", 0],
    ["import", ["import", "--from", "openai", "-u", "bob"], `[${EXPORT}]`, 0],
    ["ask --schema", ["ask", "--model", "demo", "Hi", "--schema"], SCHEMA, 5],
    ["stats --prices", ["stats", "-u", "bob", "--prices"], PRICES, 0],
  ])("is read to its end by %s", async (_, args, text, code) => {
    const pipe = makePipe();
    const command = args[0] === "import" ? ["import", pipe, ...args.slice(1)] : [...args, pipe];
    const started = new Cli().start(command);
    started.child.stdin.end();
    await writeFile(pipe, text);
    const { code: ended, stderr } = await started.result;
    expect(ended, stderr).toBe(code);
  });

  test.each([
    ["run", ["run", "--model", "demo"]],
    ["import", ["import", "-u", "bob"]],
    ["ask --schema", ["ask", "--model", "demo", "Hi", "--schema"]],
    ["stats --prices", ["stats", "-u", "bob", "--prices"]],
  ])("does not keep %s alive that is asked to end", async (_, args) => {
    const pipe = makePipe();
    const started = new Cli().start([...args, pipe]);
    started.child.stdin.end();
    const writer = await openedForWriting(pipe);
    onTestFinished(() => closeSync(writer));
    started.child.kill("SIGTERM");
    expect(await started.result).toMatchObject({ code: 143, stdout: "", stderr: "" });
  });
});

/** Resolves once somebody has opened the pipe to read it. */
async function openedForWriting(pipe: string): Promise<number> {
  const open = () => openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  let writer = -1;
  await expect
    .poll(() => {
      writer = open();
      return writer;
    })
    .toBeGreaterThan(0);
  return writer;
}
