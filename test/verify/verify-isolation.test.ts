import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { openToolkits } from "../../src/tools/open-toolkits.js";
import { type AgentParts, agentOver, runBattery } from "../../src/verify/battery.js";
import type { VerifiedAgent } from "../../src/verify/doors/library.js";
import { DOUBLES, judgeTheJudge } from "../../src/verify/doubles/judge-the-judge.js";
import { PROCESS_DOUBLES } from "../../src/verify/doubles/process-doubles.js";
import { REOPENED_DOUBLES } from "../../src/verify/doubles/reopened-doubles.js";
import { processesOn } from "../../src/verify/processes/other-process.js";
import type { RecordedRequest } from "../../src/verify/recorder.js";
import { userIds } from "../../src/verify/users.js";
import { verifyIsolation } from "../../src/verify/verify-isolation.js";
import { temporaryFolder } from "../support/cli.js";
import { seeds } from "../support/seeds.js";

const FEW = { users: 5, runs: 20, seed: 3 } as const;

test.each([
  ["in memory", () => new InMemory()],
  ["in a file", (folder: string) => new SqliteMemory(join(folder, "history.db"))],
])("our own agent is isolated %s, with every tool there is", async (_, open) => {
  const folder = temporaryFolder();
  const memory = open(folder);
  const toolkits = await openToolkits("notes,calculator,clock");
  const file = join(folder, "throwaway.db");
  const throwaway = { open: () => new SqliteMemory(file), bytes: () => readFileSync(file) };
  const report = await verifyIsolation({ memory, throwaway, toolkits }, FEW);
  expect([report.verdict, report.findings, report.gaps]).toEqual(["isolated", [], []]);
  await memory.close();
});

test("another process reads back a file, and a memory that none can open is said not to be", async () => {
  const spec = `sqlite:${join(temporaryFolder(), "history.db")}`;
  const sqlite = await openMemory(spec);
  const other = await verifyIsolation({ memory: sqlite, spec }, FEW);
  await sqlite.close();
  expect(other.verdict).toBe("isolated");
  expect(other.checks.map(({ check }) => check)).toContain("reopened");
  const inside = await verifyIsolation({ memory: new InMemory() }, FEW);
  expect(inside.checks.map(({ check }) => check)).not.toContain("reopened");
  expect(inside.notProved.join()).toContain("another process");
});

test("a memory that another process finds empty, or cannot open, is a leak", async () => {
  const spec = `sqlite:${join(temporaryFolder(), "history.db")}`;
  for (const [other, kind] of [
    [spec, "lost"],
    ["sqlite:/dev/null/history.db", "error"],
  ] as const) {
    const { signal } = new AbortController();
    const { findings } = await runBattery({
      ...{ open: agentOver(new InMemory()), startProcess: processesOn(other, signal) },
      ...{ users: userIds(3), rounds: 1, seed: 1, signal },
    });
    const found = findings.map((finding) => [finding.check, finding.kind]);
    expect(found).toContainEqual(["reopened", kind]);
  }
});

test.each(seeds())(
  "a store that fails those who open it again, or several processes, is found in seed %i",
  async (seed) => {
    const { signal } = new AbortController();
    const doubles = [...REOPENED_DOUBLES, ...PROCESS_DOUBLES];
    expect(await judgeTheJudge(seed, signal, doubles)).toMatchObject({ missed: [] });
  },
);

test.each(DOUBLES.map((double) => [double.name, double] as const))(
  "the judge finds a leak in %s",
  async (_, double) => {
    const { found } = await judgeTheJudge(1, new AbortController().signal, [double]);
    expect(found).toBe(1);
  },
);

test("everybody else's data is left alone, and nothing of the check stays", async () => {
  const memory = new InMemory();
  memory.add({ role: "user", content: "Hello" }, "bob", { state: { seen: 1 } });
  const before = JSON.stringify([memory.users(), memory.getMessages("bob")]);
  const report = await verifyIsolation({ memory }, FEW);
  expect(report.verdict).toBe("isolated");
  expect(JSON.stringify([memory.users(), memory.getMessages("bob")])).toBe(before);
});

test("a store too large to be read twice is said to be compared by counts alone", async () => {
  const memory = new InMemory();
  const many = Array.from({ length: 20_001 }, () => ({ role: "user", content: "Hi" }) as const);
  memory.add(many, "bob");
  const report = await verifyIsolation({ memory }, FEW);
  expect(report.verdict).toBe("isolated");
  expect(report.notProved.join()).toContain("only counts and times were compared");
});

test("what others store meanwhile makes it not shown, and a text of the check among it a leak", async () => {
  for (const [content, verdict] of [
    [() => "Hello", "not-shown"],
    [(text: string) => text, "leak"],
  ] as const) {
    const memory = new InMemory();
    memory.add({ role: "user", content: "Hello" }, "bob");
    let isAdded = false;
    const record = ({ messages }: RecordedRequest): void => {
      const text = messages.at(-1)?.content ?? "";
      if (!isAdded) memory.add({ role: "user", content: content(text) }, "bob");
      isAdded = true;
    };
    const report = await verifyIsolation({ memory }, { ...FEW, record });
    expect(report.verdict).toBe(verdict);
  }
});

test("a check that is ended early clears what it stored", async () => {
  const memory = new InMemory();
  const end = new AbortController();
  const record = ({ request }: RecordedRequest): void => {
    if (request === 30) end.abort(new Error("ended"));
  };
  const ended = verifyIsolation({ memory }, { ...FEW, record, signal: end.signal });
  await expect(ended).rejects.toThrow("ended");
  expect(memory.users()).toEqual([]);
});

test("an agent of one's own is driven in the same way", async () => {
  const memory = new InMemory();
  const sound = await verifyIsolation(
    { agent: (parts) => ({ agent: new Agent({ ...parts, memory }), memory }) },
    FEW,
  );
  expect(sound.verdict).toBe("isolated");
  const forgetful = await verifyIsolation(
    { agent: (parts) => ({ agent: new Agent({ ...parts, memory: new InMemory() }), memory }) },
    FEW,
  );
  expect(forgetful.verdict).toBe("leak");
});

test("attacks are reported where there is a server to attack, and nowhere else", async () => {
  const memory = new InMemory();
  const served = await verifyIsolation({ memory }, FEW);
  expect(served.evidence).toContain("attack");
  expect(served.checks.map(({ check }) => check)).toContain("attacks");
  const bare = (parts: AgentParts) => {
    const agent = new Agent({ ...parts, memory });
    const { run, stream, context, forUser } = agent;
    const bound = [run, stream, context, forUser].map((method) => [
      method.name,
      method.bind(agent),
    ]);
    return { agent: Object.fromEntries(bound) as VerifiedAgent, memory };
  };
  const unserved = await verifyIsolation({ agent: bare }, FEW);
  expect(unserved.verdict).toBe("isolated");
  expect(unserved.evidence).not.toContain("attack");
  expect(unserved.checks.map(({ check }) => check)).not.toContain("attacks");
  expect(unserved.notProved.join()).toContain("what the server would answer");
});

test("the same seed gives the same texts, runs and requests", async () => {
  const requests = async () => {
    const all: string[] = [];
    const record = ({ messages }: RecordedRequest) => void all.push(messages.at(-1)?.content ?? "");
    await verifyIsolation({ memory: new InMemory() }, { ...FEW, record });
    // Those of different connections overtake each other.
    return all.sort();
  };
  expect(await requests()).toEqual(await requests());
});

test.each([{ users: 2 }, { users: 101 }, { users: 5.5 }, { runs: 1 }, { user: 5 }])(
  "%j is refused",
  async (options) => {
    const refused = verifyIsolation({ memory: new InMemory() }, options as object);
    await expect(refused).rejects.toMatchObject({ code: "USAGE" });
  },
);
