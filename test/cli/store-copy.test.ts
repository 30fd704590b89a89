import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { copyUsers } from "../../src/data/copy-users.js";
import { validateUserId } from "../../src/ids.js";
import type { Memory } from "../../src/memory/memory.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { temporaryFile } from "../support/memory-file.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { dump, fill } from "../support/store-dump.js";

const server = await postgresUrl();

const specs: readonly (readonly [string, () => Promise<string>])[] = [
  ["an SQLite file", async () => `sqlite:${temporaryFile()}`],
  ...(server === undefined ? [] : [["PostgreSQL", () => newDatabase(server)] as const]),
];
const pairs = specs.flatMap(([from, source]) =>
  specs.map(([to, target]) => [from, to, source, target] as const),
);

describe.each(pairs)("store copy from %s to %s", (_from, _to, newSource, newTarget) => {
  it("keeps messages, ids, runs, times, totals and state exactly, and copies nobody twice", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    await fill(from);
    const copy = ["store", "copy", "--from", from, "--to", to];
    expect(await cli.json([...copy, "--dry-run"])).toMatchObject({
      ...{ ok: true, dryRun: true, copied: { users: 3, messages: 12 } },
    });
    expect(await cli.json(copy)).toMatchObject({ ok: true, copied: { users: 3, messages: 12 } });
    expect(await dump(to)).toEqual(await dump(from));
    expect(await cli.json(copy)).toMatchObject({
      ...{ ok: true, copied: { users: 0, messages: 0 }, equal: { users: 3, messages: 12 } },
    });
  });

  it("lets a copied user go on as in the source", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    await fill(from);
    await cli.run(["store", "copy", "--from", from, "--to", to]);
    const goOn = async (spec: string) => {
      const memory = await openMemory(spec);
      const [stored] = await memory.add(assistantMessage("more"), "alice", { sessionId: "work" });
      const { total } = await memory.read("alice", { sessionId: "work" });
      await memory.close();
      return { runs: stored?.runId, id: stored?.id, total };
    };
    expect(await goOn(to)).toEqual(await goOn(from));
  });

  it("overwrites nothing: a user who differs is named and stays, others are copied", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    await fill(from);
    const memory = await openMemory(to);
    await memory.add(userMessage("mine"), "bob");
    await memory.close();
    const { code, stderr, stdout } = await cli.run(["store", "copy", "--from", from, "--to", to]);
    expect(code).toBe(5);
    expect(stderr).toContain("Not copied: bob: the target has another history under this id");
    expect(stdout).toContain("1 user refused");
    const after = await openMemory(to);
    expect((await after.getMessages("bob")).map(({ content }) => content)).toEqual(["mine"]);
    expect(await after.size("alice")).toBe(6);
    await after.close();
  });

  it("goes on where kill -9 ended it: users are there whole or not at all", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    const source = await openMemory(from);
    const turn = [userMessage("hi"), assistantMessage("hello")];
    for (let user = 0; user < 300; user += 1) await source.add(turn, `user ${user}`);
    const long = Array.from({ length: 2_000 }, () => turn).flat();
    await source.add(long, "user 2000");
    const target = await openMemory(to);
    await target.users();
    const copy = ["store", "copy", "--from", from, "--to", to];
    const copying = cli.start(copy);
    let there = 0;
    while (there < 20) there = (await target.users()).length;
    copying.child.kill("SIGKILL");
    await copying.result;
    const sizes = new Map((await source.users()).map(({ userId, messages }) => [userId, messages]));
    const copied = await target.users();
    expect(copied.length).toBeLessThan(301);
    for (const { userId, messages } of copied) expect(messages).toBe(sizes.get(userId));
    await Promise.all([source.close(), target.close()]);
    const { copied: rest, equal } = await cli.json(copy);
    expect(equal.users).toBeGreaterThanOrEqual(20);
    expect(rest.users + equal.users).toBe(301);
    expect(await dump(to)).toEqual(await dump(from));
  });

  it("says which tokens and limits it leaves behind, and nothing if there are none", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    await fill(from);
    const copy = ["store", "copy", "--from", from, "--to", to];
    expect(await cli.run(copy)).toMatchObject({ code: 0, stderr: "" });
    for (const user of ["alice", "bob"])
      await cli.run(["token", "create", "--user", user, "--store", from]);
    await cli.run(["limit", "set", "--user", "bob", "--requests-per-minute", "5", "--store", from]);
    const left =
      "Not copied: 2 tokens (make new ones: token create) and the limits of 1 user (limit set).\n";
    expect(await cli.run([...copy, "--dry-run"])).toMatchObject({ code: 0, stderr: left });
    expect(await cli.run(copy)).toMatchObject({ code: 0, stderr: left });
    expect((await cli.json(["token", "list", "--store", to])).tokens).toEqual([]);
  });

  it("takes back no run from before a copy, and each run from after it", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    await fill(from);
    await cli.run(["store", "copy", "--from", from, "--to", to]);
    const memory = await openMemory(to);
    await memory.add([userMessage("new"), assistantMessage("yes")], "alice");
    expect(await memory.edits?.undo("alice")).toEqual({ runs: 1, messages: 2 });
    const undoBefore = async () => memory.edits?.undo("alice");
    await expect(undoBefore).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await memory.close();
  });

  it("notices one changed message behind equal counts", async () => {
    const [cli, from, to] = [new Cli(), await newSource(), await newTarget()];
    const write = async (spec: string, content: string): Promise<void> => {
      const memory = await openMemory(spec, { now: () => 0 });
      await memory.add({ ...userMessage(content), runId: "run" } as never, "alice");
      await memory.close();
    };
    await write(from, "one");
    await write(to, "two");
    expect(await cli.json(["store", "copy", "--from", from, "--to", to])).toMatchObject({
      ...{ ok: false, refused: [{ user: "alice", reason: "differs" }] },
    });
  });
});

describe("store copy", () => {
  it("stores nothing of a user who changes while being copied, and names that user", async () => {
    const [from, to] = [`sqlite:${temporaryFile()}`, new SqliteStore(temporaryFile())];
    await fill(from);
    const source = new SqliteStore(from.slice("sqlite:".length));
    const memory: Memory = await openMemory(from);
    const page = source.page.bind(source);
    source.page = async (userId, bounds) => {
      const messages = await page(userId, bounds);
      if (userId === "bob" && messages.length > 0) await memory.add(userMessage("late"), "bob");
      return messages.slice(0, 3);
    };
    const outcomes: string[] = [];
    const signal = new AbortController().signal;
    for await (const { userId, outcome } of copyUsers({
      from: source,
      to,
      dryRun: false,
      signal,
    })) {
      outcomes.push(`${userId} ${outcome}`);
    }
    expect(outcomes).toContain("bob changed");
    expect(outcomes).toContain("alice copied");
    expect(await to.size(validateUserId("bob"), { sessionId: undefined })).toBe(0);
    // Tried again, it may succeed.
    source.page = page;
    let isFirst = true;
    const sessions = source.sessions.bind(source);
    source.sessions = async (userId) => {
      if (userId === "bob" && isFirst) await memory.add(userMessage("and more"), "bob");
      if (userId === "bob") isFirst = false;
      return sessions(userId);
    };
    const again: string[] = [];
    for await (const { userId, outcome } of copyUsers({
      ...{ from: source, to, dryRun: false, signal, attempts: 3 },
    }))
      again.push(`${userId} ${outcome}`);
    expect(again).toContain("bob copied");
    await Promise.all([memory.close(), source.close(), to.close()]);
  });

  it("makes no store where the source is missing, nor for a dry run", async () => {
    const cli = new Cli();
    const [none, other] = [join(cli.home, "none.db"), join(cli.home, "other.db")];
    const copy = ["store", "copy", "--from", `sqlite:${none}`, "--to", `sqlite:${other}`];
    expect(await cli.run(copy)).toMatchObject({ code: 3, stdout: "" });
    await fill(`sqlite:${none}`);
    expect(await cli.run([...copy, "--dry-run"])).toMatchObject({ code: 0 });
    expect(existsSync(other)).toBe(false);
  });

  it.each([
    [["--from", "sqlite:x.db"], "Missing --to."],
    [["--to", "sqlite:x.db"], "Missing --from."],
    [["--from", "memory:", "--to", "sqlite:x.db"], "memory: keeps nothing"],
  ])("refuses %j", async (args, said) => {
    const { code, stderr } = await new Cli().run(["store", "copy", ...args]);
    expect({ code, said: stderr.includes(said) }).toEqual({ code: 2, said: true });
  });
});

it("store copy takes no id that no user can have, from a file that somebody has edited", async () => {
  const [cli, path] = [new Cli(), temporaryFile()];
  await fill(`sqlite:${path}`);
  const connection = new SqliteConnection(await loadEngine(), path);
  connection.run("UPDATE users SET user_id = ? WHERE user_id = ?", "bob\u200b", "bob");
  await connection.close();
  const to = `sqlite:${temporaryFile()}`;
  const { code, stderr } = await cli.run(["store", "copy", "--from", `sqlite:${path}`, "--to", to]);
  expect(code).toBe(2);
  expect(stderr).toContain("Invalid user id");
  expect((await dump(to)).map(({ user }) => user.userId)).not.toContain("bob\u200b");
});
