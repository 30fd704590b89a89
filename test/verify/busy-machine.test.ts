import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Model } from "../../src/models/model.js";
import { agentOver, type BatteryOptions, runBattery } from "../../src/verify/battery.js";
import { AGENT_DOUBLES } from "../../src/verify/doubles/agent-doubles.js";
import { judgeTheJudge } from "../../src/verify/doubles/judge-the-judge.js";
import { overlap } from "../../src/verify/phases/overlap.js";
import { userIds } from "../../src/verify/users.js";
import { settled } from "../agent/support.js";
import { seeds } from "../support/seeds.js";

/** How long a run may take to reach the model. */
const ARRIVAL_MS = 20;

const overlapping = async (open: BatteryOptions["open"]) => {
  const { findings } = await runBattery({
    open,
    users: userIds(4),
    rounds: 2,
    seed: 1,
    arrivalMs: ARRIVAL_MS,
    signal: new AbortController().signal,
    phases: (stage) => overlap(stage, 2),
  });
  return findings;
};

/** An agent whose runs get to the model after this work, whatever the others do. */
const after =
  (work: (run: number) => Promise<unknown>): BatteryOptions["open"] =>
  (parts) => {
    let runs = 0;
    const model: Model = {
      name: "slow",
      async *stream(request, options) {
        await work(runs++);
        yield* parts.model.stream(request, options);
      },
    };
    return agentOver(new InMemory())({ ...parts, model });
  };

/** This process has 2 ms of every 50. */
function starve(): void {
  const timer = setInterval(() => {
    const end = performance.now() + 48;
    while (performance.now() < end);
  }, 2);
  onTestFinished(() => clearInterval(timer));
}

test("a run that is slow by itself is not called blocked, however slow it is", async () => {
  for (const times of [2, 50]) {
    const first = (run: number) => (run === 0 ? setTimeout(times * ARRIVAL_MS) : settled());
    expect(await overlapping(after(first))).toEqual([]);
  }
});

test("a process that hardly gets any time is not called a leak", async () => {
  starve();
  const turns = async () => {
    for (let turn = 0; turn < 4; turn++) await settled();
  };
  expect(await overlapping(after(turns))).toEqual([]);
});

test("a user who waits for another is found in every seed, also in a starved process", async () => {
  const serial = AGENT_DOUBLES.filter(({ blocks }) => blocks);
  expect(serial).toHaveLength(1);
  const { signal } = new AbortController();
  const find = (seed: number) => judgeTheJudge(seed, signal, serial);
  for (const seed of seeds()) expect(await find(seed)).toMatchObject({ missed: [] });
  starve();
  expect(await find(1)).toMatchObject({ missed: [] });
});
