import { expect, test } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";

const NOW = Date.now();
const DAY = 86_400_000;

/** A home where alice and bob have talked. */
async function talked(): Promise<Cli> {
  const cli = new Cli();
  let now = NOW - 10 * DAY;
  const memory = new SqliteMemory(`${cli.home}/memory.db`, { now: () => now });
  await memory.add([userMessage("Zebras?"), assistantMessage("A zebra has stripes.")], "alice");
  now = NOW - 2 * DAY;
  await memory.add(userMessage("The zebra at the zoo\u001b[31m"), "alice", { sessionId: "work" });
  await memory.add(userMessage("bob's zebra"), "bob");
  await memory.close();
  return cli;
}

const stored = (args: readonly string[], cli: Cli) =>
  cli.run([...args, "--store", `sqlite:${cli.home}/memory.db`]);

test("search shows where, when and by whom the words were said, the best first", async () => {
  const cli = await talked();
  expect(await stored(["search", "zebra", "-u", "alice"], cli)).toEqual({
    code: 0,
    stdout: [
      "work · 2 days ago",
      "  alice: The zebra at the zoo",
      `default · on ${new Date(NOW - 10 * DAY).toLocaleDateString("sv")}`,
      "  assistant: A zebra has stripes.",
      `default · on ${new Date(NOW - 10 * DAY).toLocaleDateString("sv")}`,
      "  alice: Zebras?",
      "",
    ].join("\n"),
    stderr: "",
  });
});

test("search takes a session, a time and a limit, and words as they are", async () => {
  const cli = await talked();
  const search = async (...args: string[]) =>
    (await stored(["search", "-u", "alice", ...args], cli)).stdout;
  expect(await search("zebra", "-s", "work")).toContain("work · ");
  expect(await search("zebra", "-s", "work")).not.toContain("default");
  expect(await search("zebra", "--since", "7d")).not.toContain("default");
  expect(await search("stripes", "zebra")).toContain("A zebra has stripes.");
  expect(await search('"has stripes"')).toContain("A zebra has stripes.");
  expect(await search('"stripes has"')).toBe("");
  expect(await stored(["search", "-u", "alice", "zebra", "--limit", "1"], cli)).toMatchObject({
    stdout: "work · 2 days ago\n  alice: The zebra at the zoo\n",
    stderr: "The best 1 of 3; --limit shows more.\n",
  });
});

test("search marks the words on a terminal alone", async () => {
  const cli = await talked();
  const { stdout } = await cli.run(
    ["search", "zebra", "-u", "alice", "-s", "work", "--store", `sqlite:${cli.home}/memory.db`],
    { env: { FORCE_COLOR: "1" } },
  );
  expect(stdout).toContain("alice: The \u001b[1m\u001b[33mzebra\u001b[39m\u001b[22m at the zoo\n");
});

test("search --json gives the excerpt in parts", async () => {
  const cli = await talked();
  const args = ["search", "zebra", "-u", "alice", "-s", "work"];
  expect(await cli.json([...args, "--store", `sqlite:${cli.home}/memory.db`])).toEqual({
    ...{ ok: true, user: "alice", session: "work", words: "zebra", found: 1 },
    hits: [
      {
        ...{ id: 3, runId: expect.any(String), sessionId: "work", role: "user" },
        createdAt: new Date(NOW - 2 * DAY).toISOString(),
        excerpt: [
          { text: "The " },
          { text: "zebra", isMatch: true },
          { text: " at the zoo\u001b[31m" },
        ],
      },
    ],
  });
});

test("search says that nothing matches, and refuses what it cannot search for", async () => {
  const cli = await talked();
  expect(await stored(["search", "lion", "-u", "alice"], cli)).toEqual({
    ...{ code: 0, stdout: "" },
    stderr: "Nothing of alice matches: lion (attached files are not searched)\n",
  });
  expect(await stored(["search", "lion", "-u", "alice", "-s", "work"], cli)).toMatchObject({
    stderr: "Nothing of alice in work matches: lion (attached files are not searched)\n",
  });
  for (const args of [
    ["  "],
    ["x", "--since", "soon"],
    ["x", "--limit", "many"],
    ["x", "--limit", "0"],
  ])
    expect(await stored(["search", "-u", "alice", ...args], cli)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^agno-chat: [^\n]+\n$/),
    });
});
