import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { StoreMemory } from "../../src/memory/store-memory.js";
import { userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { fillSqlite } from "../support/many-users.js";

const COUNT = 2_100;
const USER = "user-00000000";

afterEach(() => vi.restoreAllMocks());

async function filled(): Promise<Cli> {
  const cli = new Cli();
  await fillSqlite(join(cli.home, "chat.db"), { count: 1, sessions: COUNT });
  return cli;
}

/** What a chat of the user prints after these lines. */
async function chat(cli: Cli, lines: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr } = await cli.run(["-u", USER, "-m", "demo"], { input: lines.join("\n") });
  return (stdout + stderr).split("\n");
}

it("/sessions lists the latest, and says how many there are and how to see more", async () => {
  const cli = await filled();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  await memory.add(userMessage("Hi"), USER, { sessionId: "work" });
  await memory.close();
  const shown = await chat(cli, [
    "/sessions",
    "/session session-7",
    "/sessions 1000",
    "/sessions 0",
  ]);
  expect(shown.slice(0, 2)).toEqual(["  work: 1 message", "  session-0: 2 messages"]);
  expect(shown[100]).toBe("* default: nothing yet");
  expect(shown).toContain("The latest 100 of 2101; /sessions 1000 lists more.");
  expect(shown).toContain("* session-7: 2 messages");
  expect(shown).toContain("The latest 1000 of 2101; /sessions 2101 lists more.");
  expect(shown.join("\n")).toContain('/sessions takes a number of sessions, not "0".');
});

it("/sessions shows the session of the prompt, however long ago it was active", async () => {
  const shown = await chat(await filled(), ["/session session-2000", "/sessions"]);
  expect(shown[100]).toBe("* session-2000: 2 messages");
});

it("a new session gets an unused name, whichever names are left", async () => {
  const cli = await filled();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  for (let index = 0; index < 100; index += 1)
    await memory.clear(USER, { sessionId: `session-${index}` });
  await memory.close();
  const [text] = (await chat(cli, ["/new"])).filter((line) => line.startsWith("New session"));
  const number = Number(/session-(\d+)/.exec(text ?? "")?.[1]);
  expect(number).toBeGreaterThanOrEqual(COUNT);
});

it("no command lists all sessions to count them, or to find one", async () => {
  const cli = await filled();
  const listed = vi.spyOn(StoreMemory.prototype, "sessions");
  const size = await cli.json(["size", "-u", USER]);
  expect(size).toMatchObject({ messages: 2 * COUNT, runs: 2 * COUNT, leftOut: 0 });
  const cleared = await cli.json(["clear", "-u", USER, "--dry-run"]);
  expect(cleared.deleted).toEqual({ messages: 2 * COUNT, sessions: COUNT });
  await cli.run(["ask", "-u", USER, "-m", "demo", "--new", "Hi"]);
  await cli.run(["export", "-u", USER, "-s", "session-3", "-o", join(cli.home, "a.json")]);
  await chat(cli, ["/session session-3", "/size", "/sessions", "/new", "/new a", "/fork b"]);
  await chat(cli, ["/user bob", `/user ${USER}`, "/clear session"]);
  for (const [, { limit = Infinity } = {}] of listed.mock.calls)
    expect(limit).toBeLessThanOrEqual(100);
});
