import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { Cli, temporaryFolder } from "../support/cli.js";
import { freePort } from "../support/free-port.js";
import { App, startApp } from "../verify/apps/app.js";
import { OneHistory } from "../verify/apps/broken-apps.js";

const FEW = ["verify", "--users", "4", "--runs", "12", "--seed", "5"] as const;

test("verify shows the matrix, each check and the verdict, as README.md does, writes reports, and ends with 0", async () => {
  const cli = new Cli();
  const fileOf = (name: string) => join(cli.home, name);
  const reports = ["junit", "markdown", "badge", "record"];
  const flags = reports.flatMap((name) => [`--${name}`, fileOf(name)]);
  const { code, stdout, stderr } = await cli.run([...FEW, ...flags]);
  expect(code).toBe(0);
  expect(stderr).toBe("Checking with planted texts; no model is called…\n");
  expect(stdout).toMatch(/^A {3}alice +\d+ +· +· +·$/m);
  expect(stdout).toContain("✓ every request holds exactly");
  expect(stdout).toMatch(/the judge found (\d+) of \1 planted leaks/);
  expect(stdout).toMatch(/seed 5, /);
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^isolated \(evidence: sent, store/);
  const counted = (text: string) => text.replaceAll(/\d+/g, "0").replaceAll(/ +/g, " ");
  for (const line of reportOfReadme()) expect(counted(stdout).split("\n")).toContain(counted(line));
  const [junit, markdown, badge, record] = reports.map((name) =>
    readFileSync(fileOf(name), "utf8"),
  );
  expect(junit).toMatch(/^<\?xml .*\n<testsuites [^>]*failures="0"/);
  expect(markdown).toContain("## agno-chat verify: isolated");
  expect(JSON.parse(badge ?? "")).toMatchObject({ schemaVersion: 1, message: "isolated" });
  const [first] = (record ?? "").split("\n");
  expect(JSON.parse(first ?? "")).toMatchObject({ request: 1, messages: expect.any(Array) });
});

/** The lines of a report that README.md shows, with other counts. */
function reportOfReadme(): string[] {
  const [, report = ""] = readFileSync("README.md", "utf8").split("$ agno-chat verify --users 4\n");
  const lines = report.slice(0, report.indexOf("```")).trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(5);
  return lines.filter((line) => line !== "…");
}

test("verify --json is one document with the verdict, the matrix and the checks, of what is recorded", async () => {
  const cli = new Cli();
  const record = join(cli.home, "record");
  const report = await cli.json([...FEW, "--store", "memory:", "--record", record]);
  expect(report).toMatchObject({
    ...{ ok: true, verdict: "isolated", seed: 5, users: 4, findings: [], gaps: [] },
    pairs: { overlapped: expect.any(Number) },
  });
  expect(report.matrix).toHaveLength(4);
  expect(report.checks.every(({ ok }: { ok: boolean }) => ok)).toBe(true);
  expect(readFileSync(record, "utf8").trimEnd().split("\n")).toHaveLength(report.requests);
});

test("Ctrl-C ends it with 130 and leaves nothing of it in the store", async () => {
  const cli = new Cli();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  await memory.add({ role: "user", content: "Hello" }, "bob");
  const running = cli.begin(["verify", "--runs", "100000"]);
  while ((await memory.users()).length < 3) await new Promise((resolve) => setImmediate(resolve));
  running.emit("SIGINT");
  expect((await running.result).code).toBe(130);
  expect((await memory.users()).map(({ userId }) => userId)).toEqual(["bob"]);
  await memory.close();
  expect(existsSync(join(cli.home, "chat.db"))).toBe(true);
});

test("Ctrl-C leaves none of its other processes, and no folder of theirs", async () => {
  const folder = temporaryFolder();
  const cli = new Cli({ TMPDIR: folder });
  const { child, result } = cli.start(["verify", "--runs", "100000"]);
  let others: string[] = [];
  while (others.length === 0)
    others = spawnSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" })
      .stdout.split("\n")
      .filter((pid) => pid !== "");
  child.kill("SIGINT");
  expect((await result).code).toBe(130);
  for (const pid of others) expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
  expect(readdirSync(folder)).toEqual([]);
});

const APP = ["verify", "--users", "4", "--runs", "8", "--seed", "5", "--upstream"] as const;

test("verify --url finds that an app shares one history, by what it sends to its model", async () => {
  const port = await freePort();
  const url = await startApp(new OneHistory(`http://127.0.0.1:${port}/v1`));
  const { code, stdout, stderr } = await new Cli().run([...APP, `127.0.0.1:${port}`, "--url", url]);
  expect(stderr).toContain(`OPENAI_BASE_URL=http://127.0.0.1:${port}/v1`);
  expect(stdout).toContain("First finding: foreign");
  expect([code, stdout.trimEnd().split("\n").at(-1)]).toEqual([
    5,
    expect.stringMatching(/^leak: \d+ findings \(evidence: sent\)$/),
  ]);
});

test("verify --url without an upstream never calls an app isolated", async () => {
  const app = new App();
  app.ask = async (messages) => `You said: ${messages.at(-1)?.content}`;
  const url = await startApp(app);
  const report = await new Cli().json(["verify", "--users", "4", "--url", url]);
  expect(report.ok).toBe(false);
  expect(report.evidence).toEqual(["replies"]);
  const secret = await new Cli().json(["verify", "--users", "4", "--url", `${url}?api_key=abc123`]);
  expect(JSON.stringify(secret)).not.toContain("abc123");
});

test("verify --url of an app that is not there ends with 4, and of another machine asks first", async () => {
  const gone = await new Cli().run([...APP, "0", "--url", `http://127.0.0.1:${await freePort()}/`]);
  expect([gone.code, gone.stderr]).toEqual([4, expect.stringContaining("Cannot reach")]);
  const remote = await new Cli().run([...APP, "0", "--url", "http://app.example/chat"]);
  expect([remote.code, remote.stderr]).toEqual([2, expect.stringContaining("--yes")]);
});

test.each([
  ["401", 401, ["--upstream", "0"]],
  ["401 without an upstream", 401, []],
  ["500", 500, []],
])("verify --url of an app that answers everybody %s ends with 4", async (_, status, flags) => {
  const app = new App();
  app.answer = async (_incoming, response) => void response.writeHead(status).end();
  const url = await startApp(app);
  const { code, stdout, stderr } = await new Cli().run(["verify", "--url", url, ...flags]);
  expect([code, stdout]).toEqual([4, ""]);
  expect(stderr).toContain(`No message got through: The app answered ${status}.`);
});

test.each(["0", "1", "101"])("verify --url with %s users is refused with 2", async (users) => {
  const args = ["verify", "--url", "http://127.0.0.1:1/", "--users", users];
  const { code, stderr } = await new Cli().run(args);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--users must be")]);
});

test.each([
  ["--upstream", "127.0.0.1:4000"],
  ["--as", "a2a"],
])("verify %s %s without --url is refused with 2", async (...flags) => {
  const { code, stderr } = await new Cli().run(["verify", ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("needs --url")]);
});

test.each(["--user", "--session"])(
  "verify %s is refused: it makes users of its own",
  async (flag) => {
    const { code, stderr } = await new Cli().run(["verify", flag, "4"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`does not take ${flag}`)]);
  },
);

test.each([
  ["--users", "two"],
  ["--runs", "-3"],
  ["--seed", "1.5"],
  ["--users", "1"],
  ["--runs", "9"],
])("verify %s %s is refused with 2 before anything is said or done", async (...flags) => {
  const { code, stderr } = await new Cli().run(["verify", ...flags]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(`^agno-chat: ${flags[0]} must be .*, not .*\n$`),
  ]);
});
