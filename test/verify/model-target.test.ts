import { describe, expect, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import { DemoModel } from "../../src/models/demo.js";
import type { Model } from "../../src/models/model.js";
import { OpenAIModel } from "../../src/models/openai.js";
import { verifyLive } from "../../src/verify/targets/live.js";
import { verifyAdapter } from "../../src/verify/targets/model.js";
import type { VerifyUpstream } from "../../src/verify/targets/target.js";
import { userIds } from "../../src/verify/users.js";
import { verifyIsolation } from "../../src/verify/verify-isolation.js";
import { seeds } from "../support/seeds.js";
import {
  Adapter,
  BROKEN_ADAPTERS,
  repeating,
  SILENTLY_BROKEN_ADAPTERS,
  served,
} from "./apps/adapters.js";

const FEW = { users: 4, runs: 16, seed: 1 } as const;

const { signal } = new AbortController();
const DRIVEN = { users: userIds(4), rounds: 4, seed: 1, signal };

const live = (model: Model, seed = 1) =>
  verifyLive({ model, memory: new InMemory(), users: 3, rounds: 3, seed, signal });

test.each([...BROKEN_ADAPTERS, ...SILENTLY_BROKEN_ADAPTERS])(
  "finds %s in an adapter on the check's own model",
  async (_, kinds, make) => {
    const { findings } = await verifyAdapter(({ baseURL }) => make(served(baseURL)), DRIVEN);
    expect(findings.map(({ kind }) => kind).filter((kind) => kinds.includes(kind))).not.toEqual([]);
  },
);

const SOUND: readonly [string, (upstream: VerifyUpstream) => Model][] = [
  ["our own", ({ baseURL: baseUrl }) => new OpenAIModel({ model: "any", baseUrl, apiKey: "none" })],
  ["one that does not stream", ({ baseURL }) => new Adapter(served(baseURL))],
];

test.each(SOUND)("shows that %s adapter is isolated", async (_, model) => {
  const { verdict, evidence } = await verifyIsolation({ model }, FEW);
  expect([verdict, evidence]).toEqual(["isolated", ["sent", "store"]]);
});

describe.each(SOUND)("finds nothing in %s adapter", (_, model) => {
  test.each(seeds())("in seed %i", async (seed) => {
    const { findings, pairs, notReached } = await verifyAdapter(model, { ...DRIVEN, seed });
    expect({ findings, notReached }).toEqual({ findings: [], notReached: [] });
    expect(pairs.overlapped).toBe(pairs.of);
  });
});

test.each(BROKEN_ADAPTERS)(
  "finds %s in an adapter that answers itself, when its replies show it",
  async (_, kinds, make) => {
    const { findings } = (await live(make(repeating))).result;
    expect(findings.map(({ kind }) => kind).filter((kind) => kinds.includes(kind))).not.toEqual([]);
  },
);

test.each([
  ["the demo model", () => new DemoModel()],
  ["a model that repeats what it was told", () => new Adapter(repeating)],
])("finds nothing in %s in any seed, and never calls that shown", async (_, make) => {
  for (const seed of seeds()) {
    const { result, gaps, calls } = await live(make(), seed);
    expect({ seed, findings: result.findings, gaps }).toEqual({ seed, findings: [], gaps: [] });
    expect(calls).toBeLessThanOrEqual(15);
  }
  const { verdict, evidence, gaps } = await verifyIsolation({ model: make() }, { seed: 1 });
  expect({ verdict, evidence, gaps }).toEqual({
    ...{ verdict: "not-shown", evidence: ["replies"] },
    gaps: [expect.stringContaining("give a function of the base URL")],
  });
});

test("ends with the failure of a model that answers itself", async () => {
  const model = new Adapter(async () => Promise.reject(new Error("no luck")));
  await expect(verifyIsolation({ model }, { seed: 1 })).rejects.toMatchObject({
    code: "MODEL_BAD_RESPONSE",
  });
});
