import { join } from "node:path";
import { expect, test } from "vitest";
import type { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { agentOver, type BatteryOptions, runBattery } from "../../src/verify/battery.js";
import { serverDoors } from "../../src/verify/doors/server.js";
import { judgeTheJudge } from "../../src/verify/doubles/judge-the-judge.js";
import { behind, type Front, SERVER_DOUBLES } from "../../src/verify/doubles/server-doubles.js";
import { attacks } from "../../src/verify/phases/attacks.js";
import { userIds } from "../../src/verify/users.js";
import { temporaryFolder } from "../support/cli.js";
import { seeds } from "../support/seeds.js";

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

/** Many batteries on a busy machine. */
const LONG = 120_000;

test(
  "nothing is found in our own server in memory and over a file, in any seed",
  async () => {
    const sqlite = new SqliteMemory(join(temporaryFolder(), "history.db"));
    for (const [memory, few] of [[new InMemory(), 5] as const, [sqlite, 3] as const])
      for (const seed of seeds(few)) {
        const users = userIds(4, `${seed}-`);
        const { findings, notReached } = await run({ open: agentOver(memory), users, seed });
        expect({ seed, findings, notReached }).toEqual({ seed, findings: [], notReached: [] });
      }
    await sqlite.close();
  },
  LONG,
);

test(
  "the judge finds every leak in front of our server, in every seed",
  async () => {
    for (const seed of seeds()) {
      const planted = await judgeTheJudge(seed, new AbortController().signal, SERVER_DOUBLES);
      expect([seed, planted.missed]).toEqual([seed, []]);
    }
  },
  LONG,
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
