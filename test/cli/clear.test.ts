import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inputFilesIn } from "../../src/cli/terminal/input-files.js";
import { validateUserId } from "../../src/ids.js";
import { assistantMessage, StoreMemory, systemMessage, userMessage } from "../../src/index.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { Cli } from "../support/cli.js";

const DAY = 86_400_000;

/** A home where alice said something long ago and today, bob long ago. */
async function aged(): Promise<Cli> {
  const cli = new Cli();
  const clock = { now: Date.now() - 60 * DAY };
  const store = new SqliteStore(join(cli.home, "chat.db"));
  const memory = new StoreMemory(store, { now: () => clock.now });
  const old = [userMessage("What was it?"), assistantMessage("It was long ago.")];
  for (const [user, sessionId] of [
    ["alice", "default"],
    ["alice", "forgotten"],
    ["bob", "default"],
  ] as const)
    await memory.add(old, user, { sessionId });
  await memory.add([systemMessage("Be brief.")], "alice");
  clock.now = Date.now();
  await memory.add([userMessage("And today?"), assistantMessage("Today.")], "alice");
  await memory.close();
  return cli;
}

const contents = async (cli: Cli, user: string): Promise<string[]> =>
  (await cli.json(["export", "-u", user, "--format", "json"])).messages.map(
    ({ content }: { content: string }) => content,
  );

describe("clear --older-than", () => {
  it("deletes one user's old runs and old sessions, and nothing else", async () => {
    const cli = await aged();
    expect(await cli.run(["clear", "-u", "alice", "--older-than", "30d", "--yes"])).toEqual({
      code: 0,
      stdout: "Deleted 4 messages of alice older than 30d.\n",
      stderr: "",
    });
    expect(await contents(cli, "alice")).toEqual(["Be brief.", "And today?", "Today."]);
    expect(await contents(cli, "bob")).toHaveLength(2);
  });

  it("deletes in the named session alone", async () => {
    const cli = await aged();
    const args = ["clear", "-u", "alice", "-s", "forgotten", "--older-than", "30d", "-y"];
    expect((await cli.run(args)).stdout).toBe(
      "Deleted 2 messages of alice in forgotten older than 30d.\n",
    );
    expect(await contents(cli, "alice")).toHaveLength(5);
  });

  it("with --dry-run counts, asks nothing and deletes nothing", async () => {
    const cli = await aged();
    const args = ["clear", "-u", "alice", "--older-than", "30d", "--dry-run"];
    expect(await cli.run(args)).toEqual({
      code: 0,
      stdout: "Would delete 4 messages of alice older than 30d.\n",
      stderr: "",
    });
    expect(await cli.json(args)).toEqual({
      ok: true,
      dryRun: true,
      user: "alice",
      session: null,
      before: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      deleted: { messages: 4, sessions: 1 },
    });
    expect(await contents(cli, "alice")).toHaveLength(7);
  });

  it("asks before it deletes", async () => {
    const cli = await aged();
    const { code, stderr } = await cli.run(["clear", "-u", "alice", "--older-than", "30d"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Not confirmed: Delete 4 messages of alice older than 30d?");
    expect(await contents(cli, "alice")).toHaveLength(7);
  });

  it("keeps the typed input for as long as anything of the user is left", async () => {
    const cli = await aged();
    const [alice, bob] = [validateUserId("alice"), validateUserId("bob")];
    const input = inputFilesIn(cli.home);
    for (const user of [alice, bob]) {
      input.append(user, "typed");
      await cli.run(["clear", "-u", user, "--older-than", "30d", "--yes"]);
    }
    expect([input.read(alice), input.read(bob)]).toEqual([["typed"], []]);
  });

  it("refuses an age that is none, and all users", async () => {
    const cli = await aged();
    expect(await cli.run(["clear", "--older-than", "a month", "-y"])).toMatchObject({ code: 2 });
    const { code, stderr } = await cli.run(["clear", "--all-users", "--older-than", "1d", "-y"]);
    expect(code).toBe(2);
    expect(stderr).toContain("agno-chat prune --inactive 30d");
  });

  it("deletes nothing that is younger than any age", async () => {
    const cli = await aged();
    const { stdout } = await cli.run(["clear", "--older-than", "999999d", "-u", "bob"]);
    expect(stdout).toBe("Deleted 0 messages of bob older than 999999d.\n");
  });
});
