import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Awaitable, Memory } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { defineTool } from "../../src/tools/define-tool.js";
import { agentOver, type BatteryOptions, runBattery } from "../../src/verify/battery.js";
import { userIds } from "../../src/verify/users.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { seeds } from "../support/seeds.js";
import { stopClock } from "../support/stopped-clock.js";

const server = (await postgresUrl()) ?? "";

const run = (options: Partial<BatteryOptions> = {}) =>
  runBattery({
    open: agentOver(new InMemory()),
    users: userIds(6),
    rounds: 4,
    seed: 1,
    signal: new AbortController().signal,
    ...options,
  });

const folder = mkdtempSync(join(tmpdir(), "agno-chat-battery-"));
afterAll(() => rmSync(folder, { recursive: true }));

const memories: readonly [name: string, few: number, open: () => Awaitable<Memory>][] = [
  ["in memory", 20, () => new InMemory()],
  ["over a file", 3, () => new SqliteMemory(join(folder, "history.db"))],
  ["over PostgreSQL", 3, async () => new PostgresMemory(await newDatabase(server))],
];

describe.each(memories.filter(([name]) => server !== "" || name !== "over PostgreSQL"))(
  "finds nothing in a sound agent %s",
  (_, few, open) => {
    let memory: Memory;
    beforeAll(async () => {
      memory = await open();
    });
    afterAll(() => memory.close());

    // Each with other users, as if the memory were in use.
    test.each(seeds(few))("in seed %i", async (seed) => {
      const users = userIds(6, `${seed}-`);
      const { findings, pairs, notReached } = await run({ open: agentOver(memory), users, seed });
      expect({ findings, notReached }).toEqual({ findings: [], notReached: [] });
      expect(pairs.overlapped).toBe(pairs.of);
    });
  },
);

test("sends pictures too, but not to a model that may not look at them", async () => {
  const { doors, ledger } = await run();
  expect(doors).toContain("agent.run with a picture");
  expect(ledger.canaries.all.some(({ owner }) => owner.door.includes("picture"))).toBe(true);
  const openModel = () => ({ name: "blind", stream: () => nothing() });
  const blind = await run({ openModel, phases: async () => {} });
  expect(blind.doors).not.toContain("agent.run with a picture");
});

async function* nothing() {}

test("a tool that keeps its arguments in the session state is not found fault with", async () => {
  const keep = defineTool<{ text: string }>({
    name: "keep",
    description: "Keeps a text.",
    parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    execute: ({ text }, { update }) => update("kept", (before) => `${before ?? ""} ${text}`),
  });
  const toolkit = { name: "diary", tools: [keep] };
  const { findings } = await run({ open: agentOver(new InMemory(), [toolkit]) });
  expect(findings).toEqual([]);
});

test("the same seed plants the same texts in the same runs", async () => {
  const texts = async () =>
    (await run({ seed: 9 })).ledger.conversations.flatMap(({ runs }) =>
      runs.map((one) => one.text),
    );
  expect(await texts()).toEqual(await texts());
});

test("a run that never ends is waited for, and found in the end", async () => {
  stopClock();
  const door = { name: "a door", send: () => new Promise<never>(() => {}) };
  const running = run({
    async phases(stage) {
      await Promise.all(stage.users.map((userId) => stage.send(stage.whose(userId), { door })));
    },
    users: userIds(1),
  });
  await vi.advanceTimersByTimeAsync(300_000);
  const { findings } = await running;
  expect(findings).toMatchObject([{ kind: "error", text: "failed: it did not end" }]);
});
