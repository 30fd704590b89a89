import { expect, test } from "vitest";
import { SqliteMemory } from "../../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../../src/messages.js";
import { Cli } from "../../support/cli.js";
import { startRepl, temporaryFolder } from "../../support/repl-session.js";

const HOUR = 3_600_000;

/** A home with conversations of alice and bob that ended this many milliseconds ago. */
async function homeAfter(passed: number): Promise<string> {
  const home = temporaryFolder();
  const memory = new SqliteMemory(`${home}/chat.db`, { now: () => Date.now() - passed });
  for (const user of ["alice", "bob"])
    await memory.add([userMessage("Hello"), assistantMessage("Hi")], user);
  await memory.close();
  return home;
}

test("the start says that a user is new", async () => {
  const pty = await startRepl({ args: ["-u", "carol"] });
  await pty.waitFor("Talking as carol, who is new.\ncarol>");
});

test("the start gives the length and date of an old conversation, and how to begin another", async () => {
  const pty = await startRepl({ home: await homeAfter(3.5 * HOUR), args: ["-u", "alice"] });
  await pty.waitFor(
    "Talking as alice: 2 messages, the last 3 hours ago. /new begins another.\nalice>",
  );
});

test("the start names a session that is not the default one", async () => {
  const home = await homeAfter(0);
  const pty = await startRepl({ home, args: ["-u", "alice", "-s", "work"] });
  await pty.waitFor("Talking as alice in work, which is new.\nalice/work>");
});

test("a switch says the same of the new user or session", async () => {
  const cli = new Cli({ AGNO_CHAT_HOME: await homeAfter(26 * HOUR) });
  const lines = [
    "/user bob",
    "/session work",
    "Hello",
    "/user carol",
    "/user bob",
    "/session default",
    "/session work",
  ];
  const { stderr } = await cli.run(["--model", "demo"], { input: lines.join("\n") });
  expect(stderr.split("\n")).toEqual([
    "Now talking as bob: 2 messages, the last yesterday.",
    "Session work of bob, which is new.",
    "Now talking as carol, who is new.",
    "Now talking as bob in work: 2 messages, the last just now.",
    "Session default of bob: 2 messages, the last yesterday.",
    "Session work of bob: 2 messages, the last just now.",
    "",
  ]);
});
