import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { validateUserId } from "../../src/ids.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { standIns } from "../../src/verify/doubles/stand-in.js";
import { bareEnvironment } from "../../src/verify/processes/environment.js";
import { processesOn } from "../../src/verify/processes/other-process.js";
import {
  checkCommandLine,
  checkKilled,
  checkTogether,
} from "../../src/verify/processes/process-check.js";
import { userIds } from "../../src/verify/users.js";
import { temporaryFolder } from "../support/cli.js";
import { seeds } from "../support/seeds.js";

test.each(seeds())(
  "finds no fault with processes that share a sound memory, in seed %i",
  async (seed) => {
    const { signal } = new AbortController();
    for (const check of [checkKilled, checkTogether]) {
      const memory = new InMemory();
      const options = { users: userIds(5), seed, signal, startProcess: standIns(() => memory) };
      expect((await check(options)).findings).toEqual([]);
    }
  },
);

const optionsFor = (seed: number, users: number) => {
  const { signal } = new AbortController();
  const spec = `sqlite:${join(temporaryFolder(), "history.db")}`;
  return { users: userIds(users), seed, signal, startProcess: processesOn(spec, signal) };
};

describe.each(seeds(3))("in seed %i", (seed) => {
  test("a SQLite file keeps whole runs and all that was answered, however often a process is killed", async () => {
    const { findings, ledger, pairs } = await checkKilled(optionsFor(seed, 5));
    expect(findings).toEqual([]);
    expect(pairs.overlapped).toBe(pairs.of);
    const outcomes = ledger.conversations.flatMap(({ runs }) => runs.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome === "stored").length).toBeGreaterThan(5);
    expect(outcomes).toContain("dropped");
  });

  test("three processes that write to one SQLite file at once lose nothing and mix nothing up", async () => {
    const { findings, ledger } = await checkTogether(optionsFor(seed, 3));
    expect(findings).toEqual([]);
    expect(ledger.runs).toBe(41);
  });
});

test("the command line keeps strange ids apart, with the check as its model", async () => {
  const { signal } = new AbortController();
  const spec = `sqlite:${join(temporaryFolder(), "history.db")}`;
  const users = ["__proto__", "a:b", "%", "-x", "Ａ"].map(validateUserId);
  const { findings, doors, requests } = await checkCommandLine({ spec, users, seed: 1, signal });
  expect(findings).toEqual([]);
  expect([doors.length, requests]).toEqual([7, 10]);
});

test("the command line's own environment is not passed on", async () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-secret-of-the-user");
  vi.stubEnv("AGNO_CHAT_SYSTEM", "Say hello.");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { signal } = new AbortController();
  const spec = `sqlite:${join(temporaryFolder(), "history.db")}`;
  const { findings } = await checkCommandLine({ spec, users: userIds(3), seed: 2, signal });
  expect(findings).toEqual([]);
  expect(
    Object.keys(bareEnvironment()).filter(
      (name) => !/^(PATH|TMPDIR|HOME|USERPROFILE|PG)/.test(name),
    ),
  ).toEqual([]);
});
