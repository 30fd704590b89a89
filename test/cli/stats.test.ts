import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Memory } from "../../src/memory/memory.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { assistantMessage, type Usage, userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { sayAll, shown, startRepl } from "../support/repl-session.js";

interface Said {
  readonly day: string;
  readonly model?: string;
  readonly sessionId?: string;
  readonly usage?: Usage;
}

async function say(memory: Memory, userId: string, said: readonly Said[]): Promise<void> {
  for (const { day, sessionId, ...stored } of said) {
    const createdAt = `${day}T23:59:59.999Z`;
    const run = [
      { ...userMessage("question"), createdAt },
      { ...assistantMessage("answer"), createdAt, ...stored },
    ];
    await memory.add(run, userId, { sessionId });
  }
}

const tokens = (inputTokens: number, outputTokens: number, estimated = false): Usage => ({
  ...{ inputTokens, outputTokens },
  ...(estimated && { estimated }),
});

const ALICE: readonly Said[] = [
  { day: "2026-11-01", model: "large", usage: tokens(1000, 100) },
  { day: "2026-11-01", model: "small", usage: tokens(10, 1, true), sessionId: "work" },
  { day: "2026-11-03", model: "large", usage: tokens(4000, 400), sessionId: "work" },
  { day: "2026-11-02", model: "large" },
];

const BOB: readonly Said[] = [{ day: "2026-11-01", model: "large", usage: tokens(7, 7) }];

async function filled(store?: string): Promise<Cli> {
  const cli = new Cli(store === undefined ? {} : { AGNO_CHAT_STORE: store });
  const memory = await openMemory(store ?? `sqlite:${join(cli.home, "chat.db")}`);
  await say(memory, "alice", ALICE);
  await say(memory, "bob", BOB);
  await memory.close();
  return cli;
}

function priced(cli: Cli, table: unknown): string {
  const file = join(cli.home, "prices.json");
  writeFileSync(file, typeof table === "string" ? table : JSON.stringify(table));
  return file;
}

const PRICES = { currency: "EUR", models: { large: { input: 2, output: 10 } } };

const stats = async (cli: Cli, ...flags: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cli.run(["stats", "-u", "alice", ...flags]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.slice(0, stdout.indexOf("\nlimit"));
};

describe("stats", () => {
  it("sums up the tokens of one user by UTC day, with estimated ones marked", async () => {
    expect(await stats(await filled())).toBe(`alice: tokens of the replies that are kept, by day
day (UTC)   calls  input  output
2026-11-01  2      ~1010  ~101
2026-11-02  1      0      0
2026-11-03  1      4000   400
all         4      ~5010  ~501
~ 1 call estimated: the server did not count.
1 call without a count, such as interrupted ones.
`);
  });

  it("by model or session begins with what has used most, and a named session is alone", async () => {
    const cli = await filled();
    expect(await stats(cli, "--by", "model")).toMatch(
      /\nlarge +3 +5000 +500\nsmall +1 +~10 +~1\nall /,
    );
    expect(await stats(cli, "--by", "session")).toMatch(/\nwork +2 .*\ndefault +2 .*\nall /);
    expect(await stats(cli, "-s", "work")).toMatch(/^alice in work: .*\n.*\n2026-11-01 +1 +~10 /);
  });

  it("shows money where a price table is set, and says what has no price", async () => {
    const cli = await filled();
    const prices = priced(cli, PRICES);
    expect(await stats(cli, "--prices", prices, "--by", "model")).toBe(
      `alice: tokens of the replies that are kept, by model
model  calls  input  output  EUR
large  3      5000   500     0.0150
small  1      ~10    ~1      -
all    4      ~5010  ~501    ~0.0150+
~ 1 call estimated: the server did not count.
1 call without a count, such as interrupted ones.
+ 1 call of models without a price.
`,
    );
    await cli.run(["config", "set", "prices", "prices.json"]);
    expect(await cli.json(["stats", "-u", "alice", "-s", "work"])).toMatchObject({
      ...{ ok: true, user: "alice", session: "work", messages: 4, by: "day", currency: "EUR" },
      total: { calls: 2, inputTokens: 4010, outputTokens: 401, estimated: 1, cost: 0.012 },
      groups: [
        { day: "2026-11-01", inputTokens: 10, cost: 0, unpriced: 1 },
        { day: "2026-11-03", inputTokens: 4000, cost: 0.012, unpriced: 0 },
      ],
      tokensPerDay: { used: 0, allowed: null },
    });
  });

  it.each([
    ["nowhere", undefined, "cannot be read: no such file or directory (ENOENT)"],
    ["no JSON", "{", "is not a JSON object"],
    ["no currency", { models: {} }, "names no currency such as USD"],
    ["no models", { currency: "USD" }, "has no models"],
    [
      "a price below 0",
      { currency: "USD", models: { m: { input: -1, output: 1 } } },
      'gives "m" no',
    ],
  ])("refuses a price table with %s in one line", async (_, table, why) => {
    const cli = new Cli();
    const file = table === undefined ? join(cli.home, "none.json") : priced(cli, table);
    const { code, stdout, stderr } = await cli.run(["stats", "--prices", file]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(why);
    expect(stderr).toMatch(/^agno-chat: [^\n]+\n$/);
  });

  it("refuses other groups, and says of a new user that there are no replies", async () => {
    const cli = new Cli();
    expect(await cli.run(["stats", "--by", "year"])).toMatchObject({
      code: 2,
      stderr: 'agno-chat: Tokens cannot be grouped by "year". Known: day, model, session.\n',
    });
    expect(await stats(cli)).toBe("alice: no replies yet\n");
  });
});

const server = await postgresUrl();

it.skipIf(server === undefined)("stats and size are the same on PostgreSQL", async () => {
  const file = await filled();
  const database = await filled(await newDatabase(server as string));
  expect(await stats(database)).toBe(await stats(file));
  const size = ["size", "-u", "alice", "--history", "1"];
  expect(await database.json(size)).toEqual(await file.json(size));
});

it("/stats draws bars, and the longest is of the day with most tokens", async () => {
  const { home } = await filled();
  const pty = await startRepl({ home, args: ["-u", "alice", "-q"], columns: 80, rows: 24 });
  await sayAll(pty, "/stats", "/stats year");
  expect(shown(pty)).toMatch(/2026-11-01 +2 +~1010 +~101 +█{10}▏\n/);
  expect(shown(pty)).toMatch(/2026-11-02 +1 +0 +0\n/);
  expect(shown(pty)).toMatch(/2026-11-03 +1 +4000 +400 +█{40}\n/);
  expect(shown(pty)).toMatch(/ all +4 +~5010 +~501\n/);
  expect(shown(pty)).toContain('Tokens cannot be grouped by "year"');
});

describe("size", () => {
  it("tells tokens, the oldest and the newest message, and what the limit leaves out", async () => {
    const cli = await filled();
    const { stdout } = await cli.run(["size", "-u", "alice", "--history", "2"]);
    expect(stdout.replace(/\d+ bytes/, "9 bytes")).toBe(`alice: 8 messages in 4 runs, 9 bytes
  tokens used: about 5010 input, 501 output
  oldest: 2026-11-01 23:59 UTC, newest: 2026-11-03 23:59 UTC
  sent to the model: up to 2 messages of a session; 4 left out
`);
    expect(await cli.json(["size", "-u", "alice", "-s", "work"])).toMatchObject({
      ...{ user: "alice", session: "work", messages: 4, runs: 2 },
      ...{
        inputTokens: 4010,
        outputTokens: 401,
        estimated: true,
        historyLimit: 200,
        historyTokens: null,
        leftOut: 0,
      },
      ...{ oldest: "2026-11-01T23:59:59.999Z", newest: "2026-11-03T23:59:59.999Z" },
    });
    expect(await cli.json(["size", "-u", "nobody"])).toMatchObject({
      ...{ messages: 0, inputTokens: 0, oldest: null, newest: null, leftOut: 0 },
    });
  });

  it("counts what a limit of tokens leaves out, too", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    const flags = ["-u", "alice", "--history-tokens", "40"];
    const { stderr } = await cli.run(flags, { input: "Hi\nHi\nHi\n" });
    expect(stderr).toContain("only up to 200 messages and 40 tokens. They stay kept.");
    const { stdout } = await cli.run(["size", ...flags]);
    expect(stdout).toMatch(/up to 200 messages and 40 tokens of a session; 6 left out\n$/);
    expect(await cli.json(["size", ...flags])).toMatchObject({ historyTokens: 40 });
  });

  it("says in the chat once per session that the limit begins to leave something out", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    const input = [
      "Hi",
      "Hi",
      "/user bob",
      "Hi",
      "/user alice",
      "Hi",
      "/new work",
      "Hi",
      "/size",
      "",
    ];
    const { code, stderr, stdout } = await cli.run(["-u", "alice", "--history", "3"], {
      input: input.join("\n"),
    });
    expect(code).toBe(0);
    expect(stderr.match(/.*from now on.*/g)).toEqual([
      "alice, session default: from now on the model is not sent the oldest messages, only up to 3 messages. They stay kept.",
    ]);
    expect(stdout).toMatch(
      /alice in work: 2 messages in 1 run, .*\n {2}tokens used: .*\n.*\n {2}sent to the model: up to 3 /,
    );
  });
});
