import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFile } from "../support/memory-file.js";

const run = promisify(execFile);

test("the example of a store keeps every rule of the contract in at most 200 lines", async () => {
  expect(readFileSync("examples/file-store.mjs", "utf8").trimEnd().split("\n").length).toBeLessThan(
    201,
  );
  const args = ["--test", "--test-reporter", "tap", "examples/file-store.test.mjs"];
  const { stdout } = await run(process.execPath, args, { env: {} });
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(Number(stdout.match(/^# pass (\d+)$/m)?.[1])).toBeGreaterThan(50);
});

test("the guide to stores shows a program that works", async () => {
  const page = readFileSync("docs/write-a-store.md", "utf8");
  const [program] = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code as string);
  const folder = temporaryFile("conversations");
  const code = (program as string).replace('"conversations"', JSON.stringify(folder));
  // Runs in the repository, so that it finds the package by its name.
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code]);
  expect(stdout).toContain("Alice");
  expect(readdirSync(folder)).toHaveLength(1);
});
