import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { Cli } from "../support/cli.js";

const FEW = ["verify", "--users", "4", "--runs", "12", "--seed", "5"] as const;

test("verify shows the matrix, each check and the verdict, and ends with 0", async () => {
  const { code, stdout, stderr } = await new Cli().run(FEW);
  expect(code).toBe(0);
  expect(stderr).toContain("no model is called");
  expect(stdout).toMatch(/^A {3}alice +\d+ +· +· +·$/m);
  expect(stdout).toContain("✓ every request holds exactly");
  expect(stdout).toMatch(/the judge found (\d+) of \1 planted leaks/);
  expect(stdout).toMatch(/seed 5, /);
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^isolated \(evidence: sent, store/);
});

test("verify --json is one document with the verdict, the matrix and the checks", async () => {
  const report = await new Cli().json(FEW);
  expect(report).toMatchObject({
    ...{ ok: true, verdict: "isolated", seed: 5, users: 4, findings: [], gaps: [] },
    pairs: { overlapped: expect.any(Number) },
  });
  expect(report.matrix).toHaveLength(4);
  expect(report.checks.every(({ ok }: { ok: boolean }) => ok)).toBe(true);
});

test("verify writes JUnit, Markdown, a badge and the record of every request", async () => {
  const cli = new Cli();
  const file = (name: string) => join(cli.home, name);
  const flags = ["junit", "markdown", "badge", "record"].flatMap((name) => [
    `--${name}`,
    file(name),
  ]);
  const report = await cli.json([...FEW, ...flags]);
  expect(readFileSync(file("junit"), "utf8")).toMatch(/^<\?xml .*\n<testsuites [^>]*failures="0"/);
  expect(readFileSync(file("markdown"), "utf8")).toContain("## agno-chat verify: isolated");
  const badge = JSON.parse(readFileSync(file("badge"), "utf8"));
  expect(badge).toMatchObject({ schemaVersion: 1, message: "isolated" });
  const requests = readFileSync(file("record"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(requests).toHaveLength(report.requests);
});

test("Ctrl-C ends it with 130 and leaves nothing of it in the store or on disk", async () => {
  const cli = new Cli();
  const folders = () =>
    readdirSync(tmpdir()).filter((name) => name.startsWith("agno-chat-verify-"));
  const before = folders();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  await memory.add({ role: "user", content: "Hello" }, "bob");
  const running = cli.begin(["verify", "--runs", "100000"]);
  while ((await memory.users()).length < 3) await new Promise((resolve) => setImmediate(resolve));
  running.emit("SIGINT");
  expect((await running.result).code).toBe(130);
  expect((await memory.users()).map(({ userId }) => userId)).toEqual(["bob"]);
  await memory.close();
  expect(folders()).toEqual(before);
  expect(existsSync(join(cli.home, "chat.db"))).toBe(true);
});

test.each([
  ["--users", "two"],
  ["--runs", "-3"],
  ["--seed", "1.5"],
  ["--users", "1"],
])("verify %s %s is refused with 2", async (...flags) => {
  const { code, stderr } = await new Cli().run(["verify", ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("must be")]);
});
