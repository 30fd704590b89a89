import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { agentOver, type BatteryOptions, runBattery } from "../../src/verify/battery.js";
import { serverDoors } from "../../src/verify/doors/server.js";
import { judgeTheJudge } from "../../src/verify/doubles/judge-the-judge.js";
import { behind, type Front, SERVER_DOUBLES } from "../../src/verify/doubles/server-doubles.js";
import { attacks } from "../../src/verify/phases/attacks.js";
import { userIds } from "../../src/verify/users.js";
import { seeds } from "../support/seeds.js";

const folder = mkdtempSync(join(tmpdir(), "agno-chat-server-doors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (options: Partial<BatteryOptions>) =>
  runBattery({
    ...{ open: agentOver(new InMemory()), users: userIds(4), rounds: 2, seed: 1 },
    openDoors: ({ agent }) => serverDoors(agent as Agent),
    signal: new AbortController().signal,
    ...options,
  });

/** The attacks alone, on a server with something in front of it. */
const attacked = (front: Front) =>
  run({
    openDoors: ({ agent }) =>
      serverDoors(
        agent as Agent,
        behind(() => front),
      ),
    phases: (stage) => attacks(stage),
  });

describe.each([
  ["in memory", 5, () => new InMemory()],
  ["over a file", 3, () => new SqliteMemory(join(folder, "history.db"))],
])("nothing is found in our own server %s", (_, few, open) => {
  const memory = open();
  afterAll(() => memory.close());

  test.each(seeds(few))("in seed %i", async (seed) => {
    const users = userIds(4, `${seed}-`);
    const { findings, notReached } = await run({ open: agentOver(memory), users, seed });
    expect({ findings, notReached }).toEqual({ findings: [], notReached: [] });
  });
});

test.each(seeds())(
  "the judge finds every leak in front of our server, in seed %i",
  async (seed) => {
    const { missed } = await judgeTheJudge(seed, new AbortController().signal, SERVER_DOUBLES);
    expect(missed).toEqual([]);
  },
);

test("what stands in front of our server in the leaks is no leak in itself", async () => {
  const { findings, notReached } = await run({
    openDoors: ({ agent }) =>
      serverDoors(
        agent as Agent,
        behind(() => (passing, forward) => forward(passing)),
      ),
  });
  expect([findings, notReached]).toEqual([[], []]);
});

test("a server that refuses even its owners shows nothing by refusing others", async () => {
  const { findings, notReached } = await attacked((passing, forward) =>
    passing.url.startsWith("/size")
      ? Promise.resolve({ status: 403, type: "application/json", body: "{}" })
      : forward(passing),
  );
  expect(findings).toEqual([]);
  const sizes = notReached.filter((name) => name.startsWith("GET /size with"));
  expect(sizes.length).toBeGreaterThan(2);
});

test("an attack that breaks the server is a finding, and no refusal", async () => {
  const { findings } = await attacked((passing, forward) =>
    passing.headers.authorization === undefined
      ? Promise.resolve({ status: 500, type: "application/json", body: "{}" })
      : forward(passing),
  );
  const doors = new Set(findings.map(({ door, kind }) => `${kind} at ${door}`));
  expect([...doors]).toContain("error at GET /export without a token");
  expect([...doors]).toContain("error at POST /chat without a token");
});
