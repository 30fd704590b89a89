import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { openToolkits } from "../../src/tools/open-toolkits.js";
import { DOUBLES, judgeTheJudge } from "../../src/verify/doubles/judge-the-judge.js";
import type { RecordedRequest } from "../../src/verify/recorder.js";
import { verifyIsolation } from "../../src/verify/verify-isolation.js";
import { temporaryFolder } from "../support/cli.js";

const FEW = { users: 5, runs: 20, seed: 3 } as const;

test("our own agent is isolated, in memory and in a file, with every tool there is", async () => {
  const folder = temporaryFolder();
  const sqlite = new SqliteMemory(join(folder, "history.db"));
  const toolkits = await openToolkits("notes,calculator,clock");
  for (const [name, memory] of Object.entries({ memory: new InMemory(), sqlite })) {
    const file = join(folder, `${name}-throwaway.db`);
    const throwaway = { open: () => new SqliteMemory(file), bytes: () => readFileSync(file) };
    const report = await verifyIsolation({ memory, throwaway, toolkits }, FEW);
    expect([report.verdict, report.findings, report.gaps]).toEqual(["isolated", [], []]);
  }
  await sqlite.close();
});

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
