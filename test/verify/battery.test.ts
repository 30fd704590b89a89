import { expect, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import { agentOver, type BatteryOptions, runBattery } from "../../src/verify/battery.js";
import { userIds } from "../../src/verify/users.js";

const run = (options: Partial<BatteryOptions> = {}) =>
  runBattery({
    open: agentOver(new InMemory()),
    users: userIds(6),
    rounds: 4,
    seed: 1,
    signal: new AbortController().signal,
    ...options,
  });

test("finds nothing in a sound agent, in 20 seeds", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { findings, pairs, notReached } = await run({ seed });
    expect({ seed, findings, notReached }).toEqual({ seed, findings: [], notReached: [] });
    expect(pairs.overlapped).toBe(pairs.of);
  }
});

test("the same seed plants the same texts in the same runs", async () => {
  const texts = async () =>
    (await run({ seed: 9 })).ledger.conversations.flatMap(({ runs }) =>
      runs.map((one) => one.text),
    );
  expect(await texts()).toEqual(await texts());
});
