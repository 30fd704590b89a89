import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { localTime } from "../../src/cli/local-time.js";
import { inputFilesIn } from "../../src/cli/terminal/input-files.js";
import { validateUserId } from "../../src/ids.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { Cli } from "../support/cli.js";
import { fillSqlite } from "../support/many-users.js";
import { startRepl } from "../support/repl-session.js";

const COUNT = 2_100;

async function filled(): Promise<Cli> {
  const cli = new Cli();
  await fillSqlite(join(cli.home, "chat.db"), { count: COUNT, messages: 1 });
  return cli;
}

/** How many users the memory file has now. */
async function left(cli: Cli): Promise<number> {
  const store = new SqliteStore(join(cli.home, "chat.db"));
  try {
    return (await store.countUsers({ idleSince: 0 })).users;
  } finally {
    await store.close();
  }
}

it("users lists them all in order, as one table and as one document", async () => {
  const cli = await filled();
  const { users } = await cli.json(["users"]);
  const activities = users.map(({ lastActivity }: { lastActivity: string }) => lastActivity);
  expect(activities).toHaveLength(COUNT);
  expect(activities).toEqual([...activities].sort().reverse());
  const { stdout } = await cli.run(["users"]);
  const rows = stdout.trimEnd().split("\n");
  expect(rows.slice(1)).toEqual(
    users.map(
      ({ user, lastActivity }: { user: string; lastActivity: string }) =>
        `${user}  1         1         ${localTime(lastActivity)}`,
    ),
  );
});

it("users ends at once when nobody reads on", async () => {
  const cli = await filled();
  const listing = cli.start(["users"]);
  await listing.shows("last activity");
  listing.child.stdout.destroy();
  expect(await listing.result).toMatchObject({ code: 0, stderr: "" });
});

it("prune counts all of them, and deletes them", async () => {
  const cli = await filled();
  const deleted = { users: COUNT, sessions: COUNT, messages: COUNT };
  const prune = ["prune", "--inactive", "1d"];
  expect(await cli.json([...prune, "--dry-run"])).toEqual({ ok: true, dryRun: true, deleted });
  expect(await cli.json([...prune, "--yes"])).toEqual({ ok: true, dryRun: false, deleted });
  expect(await left(cli)).toBe(0);
});

it("prune stops at Ctrl-C, says what it has deleted, and leaves no input of deleted users", async () => {
  const cli = await filled();
  const input = inputFilesIn(cli.home);
  const [gone, kept] = [validateUserId("user-00000000"), validateUserId("alice")];
  for (const userId of [gone, kept]) input.append(userId, "typed");
  const pruning = cli.begin(["prune", "--inactive", "1d", "--yes"]);
  while ((await left(cli)) === COUNT);
  pruning.emit("SIGINT");
  const { code, stdout, stderr } = await pruning.result;
  expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  const users = Number(/^Deleted (\d+) messages of \1 inactive users before/.exec(stderr)?.[1]);
  expect(users).toBeGreaterThan(0);
  expect(await left(cli)).toBe(COUNT - users);
  expect([input.read(gone), input.read(kept)]).toEqual([[], ["typed"]]);
});

it("clear --all-users counts all of them, and deletes them", async () => {
  const cli = await filled();
  const deleted = { users: COUNT, sessions: COUNT, messages: COUNT };
  const clear = ["clear", "--all-users"];
  expect(await cli.json([...clear, "--dry-run"])).toMatchObject({ ok: true, deleted });
  expect(await left(cli)).toBe(COUNT);
  expect(await cli.json([...clear, "--yes"])).toMatchObject({ ok: true, deleted });
  expect(await left(cli)).toBe(0);
});

it("users, prune and clear --all-users find nobody in memory:, and make no file", async () => {
  const cli = new Cli({ AGNO_CHAT_STORE: "memory:" });
  const deleted = { users: 0, sessions: 0, messages: 0 };
  expect(await cli.json(["users"])).toEqual({ ok: true, users: [] });
  for (const args of [
    ["prune", "--inactive", "1d", "--yes"],
    ["clear", "--all-users", "--yes"],
  ])
    expect(await cli.json(args)).toMatchObject({ ok: true, deleted });
  expect(existsSync(join(cli.home, "chat.db"))).toBe(false);
});

it("/users lists the latest thousand, and the active user", async () => {
  const cli = await filled();
  const { stdout, stderr } = await cli.run(["-m", "demo", "-u", "user-00000000"], {
    input: "/users\n",
  });
  const rows = stdout.trimEnd().split("\n");
  expect(rows).toHaveLength(1_001);
  expect(rows[0]).toMatch(/^ {2}user-\d{8}: 1 message in 1 session$/);
  expect(rows.at(-1)).toBe("* user-00000000: 1 message");
  expect(stderr).toContain("Only the latest 1000; agno-chat users lists everyone.");
});

it("Tab after /user offers one of many, and lists no more than a thousand", async () => {
  const { home } = await filled();
  const pty = await startRepl({ home });
  pty.type("/user user-0000\t");
  await pty.waitFor(/More than 1000 users begin like this\./);
  pty.type("209\t");
  await pty.waitFor(/user-00002090 .*user-00002099/s);
  pty.type("7\t\r");
  await pty.waitFor(/Now talking as user-00002097/);
  pty.type("/session d\t");
  await pty.waitFor(/\/session default$/);
});
