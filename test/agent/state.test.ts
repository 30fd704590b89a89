import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import type { ToolContext } from "../../src/tools/tool.js";
import { failsWith, MEMORIES, SOMEONE, settled, toolkitOf, toolOf } from "./support.js";

type Work = (context: ToolContext) => unknown;

const calls = (...names: string[]): ScriptedStep => ({
  toolCalls: names.map((name) => ({ name })),
});

const agentOn = (memory: Memory, script: readonly ScriptedStep[], tools: Record<string, Work>) =>
  new Agent({
    model: new ScriptedModel(script),
    memory,
    toolkits: [toolkitOf(...Object.entries(tools).map(([name, work]) => toolOf(name, work)))],
  });

const toolMessages = async (memory: Memory) =>
  (await memory.getMessages()).filter((message) => message.role === "tool");

const add =
  (amount: number): Work =>
  ({ update }) =>
    update("count", (count = 0) => Number(count) + amount);

/** Waits between reading and writing, like a tool that calls a server. */
const readThenWrite =
  (amount: number): Work =>
  async ({ state }) => {
    const count = Number(state.count ?? 0);
    await settled();
    state.count = count + amount;
  };

describe.each(MEMORIES)("parallel tools of one reply, with $name,", ({ open }) => {
  it("lose no change made with update", async () => {
    const memory = open();
    const slowly =
      (amount: number): Work =>
      async (context) => {
        await settled();
        return add(amount)(context);
      };
    const tools = { one: slowly(1), two: slowly(2), three: slowly(3) };
    await agentOn(memory, [calls("one", "two", "three"), "ok"], tools).run("Add", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ count: 6 });
  });

  it("get an error if an assignment would undo another tool's, and succeed when called again", async () => {
    const memory = open();
    const tools = { one: readThenWrite(1), two: readThenWrite(2) };
    await agentOn(memory, [calls("one", "two"), calls("two"), "ok"], tools).run("Add", SOMEONE);
    const [one, two, again] = await toolMessages(memory);
    expect(one).not.toHaveProperty("isError");
    expect(two).toMatchObject({ isError: true, content: expect.stringMatching(/"count".*again/) });
    expect(again).not.toHaveProperty("isError");
    expect({ ...(await memory.getState()) }).toEqual({ count: 3 });
  });

  it("add up if they return at once, even for changes in place", async () => {
    const memory = open();
    const push: Work = ({ state }) => {
      state.list ??= [];
      (state.list as number[]).push((state.list as number[]).length);
    };
    const count: Work = ({ state }) => {
      state.count = Number(state.count ?? 0) + 1;
    };
    const tools = { push, count };
    await agentOn(memory, [calls("push", "count", "push", "count", "push"), "ok"], tools).run(
      "Go",
      SOMEONE,
    );
    expect({ ...(await memory.getState()) }).toEqual({ list: [0, 1, 2], count: 2 });
  });

  it("get an error if a change in place would undo another tool's", async () => {
    const memory = open();
    const push =
      (item: string): Work =>
      async ({ state }) => {
        const list = state.list as string[];
        await settled();
        list.push(item);
      };
    await memory.add([], undefined, { state: { list: [] } });
    const tools = { a: push("a"), b: push("b") };
    await agentOn(memory, [calls("a", "b"), "ok"], tools).run("Go", SOMEONE);
    const [a, b] = await toolMessages(memory);
    expect([a, b].map((message) => message?.role === "tool" && message.isError)).toEqual([
      undefined,
      true,
    ]);
    expect({ ...(await memory.getState()) }).toEqual({ list: ["a"] });
  });

  it("can write a key they have not read: the last one wins", async () => {
    const memory = open();
    const write =
      (value: string): Work =>
      async ({ state }) => {
        await settled();
        state.last = value;
      };
    const tools = { a: write("a"), b: write("b") };
    await agentOn(memory, [calls("a", "b"), "ok"], tools).run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ last: "b" });
    for (const message of await toolMessages(memory)) expect(message).not.toHaveProperty("isError");
  });

  it("can catch the error, read again and continue", async () => {
    const memory = open();
    const stubborn: Work = async ({ state }) => {
      const count = Number(state.count ?? 0);
      await settled();
      try {
        state.count = count + 1;
      } catch {
        state.count = Number(state.count ?? 0) + 1;
      }
    };
    const tools = { a: stubborn, b: stubborn };
    await agentOn(memory, [calls("a", "b"), "ok"], tools).run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ count: 2 });
  });
});

describe.each(MEMORIES)(
  "with $name, when another process changes the same key during a run,",
  ({ open }) => {
    /** Runs a tool, and stores `change` from elsewhere before the run is stored. */
    async function overtaken(work: Work, before: object, change: Record<string, unknown>) {
      const memory = open();
      await memory.add([], undefined, { state: { ...before } as never });
      const interfere: ScriptedStep = async () => {
        await memory.add([], undefined, { state: change as never });
        return "done";
      };
      const agent = agentOn(memory, [calls("work"), interfere, calls("work"), "again"], { work });
      const outcome = agent.run("Go", SOMEONE);
      return { memory, agent, outcome };
    }

    it("an update keeps the changes of both", async () => {
      const { memory, outcome } = await overtaken(add(1), { count: 1 }, { count: 10, other: true });
      await outcome;
      expect({ ...(await memory.getState()) }).toEqual({ count: 11, other: true });
    });

    it("several updates keep the changes of both, with deletions and new keys", async () => {
      const work: Work = ({ update }) => {
        update("list", (list = []) => [...(list as number[]), 1]);
        update("list", (list = []) => [...(list as number[]), 2]);
        update("gone", () => undefined);
        return update("new", (value = 0) => Number(value) + 1);
      };
      const change = { list: ["theirs"], new: 5, gone: "theirs" };
      const { memory, outcome } = await overtaken(work, { gone: 1 }, change);
      await outcome;
      expect({ ...(await memory.getState()) }).toEqual({ list: ["theirs", 1, 2], new: 6 });
    });

    it("an assignment after a read fails with STATE_CONFLICT, and nothing is stored", async () => {
      const { memory, agent, outcome } = await overtaken(
        readThenWrite(1),
        { count: 1 },
        { count: 10 },
      );
      await expect(outcome).rejects.toMatchObject({
        code: "STATE_CONFLICT",
        message: expect.stringContaining('"count"'),
        hint: "Send the message again.",
        stored: false,
      });
      expect(await memory.size()).toBe(0);
      expect({ ...(await memory.getState()) }).toEqual({ count: 10 });
      await agent.run("Go", SOMEONE);
      expect({ ...(await memory.getState()) }).toEqual({ count: 11 });
    });

    it("so does a change in place, or an assignment of what update returned", async () => {
      const inPlace: Work = ({ state }) => void (state.list as number[]).push(1);
      const first = await overtaken(inPlace, { list: [] }, { list: [9] });
      await failsWith(first.outcome, "STATE_CONFLICT");
      const behind: Work = ({ state, update }) => {
        state.count = Number(update("count", (count = 0) => Number(count) + 1)) * 2;
      };
      const second = await overtaken(behind, { count: 1 }, { count: 10 });
      await failsWith(second.outcome, "STATE_CONFLICT");
    });

    it("an assignment without a read overwrites the other change", async () => {
      const work: Work = ({ state }) => {
        state.count = 1;
        state.count = Number(state.count) + 1;
      };
      const { memory, outcome } = await overtaken(work, { count: 1 }, { count: 10 });
      await outcome;
      expect({ ...(await memory.getState()) }).toEqual({ count: 2 });
    });

    it("reading a key, or assigning the same value, keeps the other change", async () => {
      const work: Work = ({ state }) => {
        state.count = state.count ?? null;
        return { ...state };
      };
      const { memory, outcome } = await overtaken(work, { count: 1 }, { count: 10 });
      await outcome;
      expect({ ...(await memory.getState()) }).toEqual({ count: 10 });
      expect(await memory.size()).toBe(4);
    });

    it("an update that throws for the new value fails with STATE_CONFLICT", async () => {
      const work: Work = ({ update }) =>
        update("count", (count) => {
          if (Number(count) > 5) throw new Error("too many");
          return Number(count) + 1;
        });
      const { outcome } = await overtaken(work, { count: 1 }, { count: 10 });
      await failsWith(outcome, "STATE_CONFLICT");
    });
  },
);

describe("the state of a tool", () => {
  const seen = async (work: Work) => {
    const [memory] = MEMORIES.map(({ open }) => open());
    await (memory as Memory).add([], undefined, { state: { a: 1, b: { c: [2] } } });
    let result: unknown;
    const look: Work = (context) => {
      result = work(context);
    };
    await agentOn(memory as Memory, [calls("look"), "ok"], { look }).run("Go", SOMEONE);
    return result;
  };

  it("looks like a plain object", async () => {
    await seen(({ state }) => {
      expect(Object.keys(state)).toEqual(["a", "b"]);
      expect({ ...state }).toEqual({ a: 1, b: { c: [2] } });
      expect("a" in state && !("z" in state)).toBe(true);
      expect(JSON.stringify(state)).toBe('{"a":1,"b":{"c":[2]}}');
      expect(inspect(state)).toContain("c: [ 2 ]");
      expect(state.b).toBe(state.b);
      delete state.a;
      Object.defineProperty(state, "d", { value: 4, enumerable: true });
      expect(Object.entries(state)).toEqual([
        ["b", { c: [2] }],
        ["d", 4],
      ]);
    });
  });

  it("takes no symbol as a key, and knows none", async () => {
    const key = Symbol("key");
    await seen(({ state }) => {
      const object = state as Record<string | symbol, unknown>;
      expect(key in object).toBe(false);
      expect(Object.getOwnPropertyDescriptor(object, key)).toBeUndefined();
      expect(Object.getOwnPropertyDescriptor(object, "z")).toBeUndefined();
      expect(Reflect.set(object, key, 1)).toBe(false);
      expect(Reflect.defineProperty(object, key, { value: 1 })).toBe(false);
      expect(Reflect.deleteProperty(object, key)).toBe(true);
      expect(Object.isExtensible(object) && !Reflect.setPrototypeOf(object, {})).toBe(true);
    });
  });

  it("shows an update at once, and the function given to update gets a frozen value", async () => {
    await seen(({ state, update }) => {
      expect(update("a", (value) => Number(value) + 1)).toBe(2);
      expect(state.a).toBe(2);
      expect(() =>
        update("b", (value) => {
          (value as { c: number[] }).c.push(3);
          return value;
        }),
      ).toThrow(TypeError);
      expect(() => update("a", () => Promise.resolve(3) as never)).toThrow(/not a promise/);
      expect(() => update("a", () => new Map() as never)).toThrow(/not JSON/);
      expect({ ...state }).toEqual({ a: 2, b: { c: [2] } });
    });
  });
});

/** One step of a tool; steps of other tools come in between. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("update" as const), key: fc.constantFrom("x", "y") }),
  fc.record({ kind: fc.constant("assign" as const), key: fc.constantFrom("x", "y") }),
  fc.record({ kind: fc.constant("in place" as const), key: fc.constantFrom("x", "y") }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Plan = readonly Step[];

/** A tool that adds its own mark to a list in every step, and records the marks by its name. */
function marker(name: string, plan: Plan, marks: Map<string, string[]>): Work {
  return async ({ state, update }) => {
    const mine: string[] = [];
    marks.set(name, mine);
    for (const [index, { kind, key }] of plan.entries()) {
      const mark = `${name}-${index}`;
      if (kind === "update") update(key, (value) => [...listIn(value), mark]);
      else {
        const before = listIn(state[key]);
        await settled();
        if (kind === "assign") state[key] = [...before, mark];
        else if (state[key] === before) before.push(mark);
        else continue;
      }
      mine.push(`${key}:${mark}`);
    }
  };
}

const listIn = (value: unknown): string[] => (Array.isArray(value) ? value : []);

/** Runs one tool per plan at once. Returns the marks of the tools that did not fail. */
async function marksKept(memory: Memory, agent: string, plans: readonly Plan[]): Promise<string[]> {
  const marks = new Map<string, string[]>();
  const names = plans.map((_, index) => `${agent}${index}`);
  const works = Object.fromEntries(
    plans.map((plan, index) => [`${agent}${index}`, marker(`${agent}${index}`, plan, marks)]),
  );
  const { messages } = await agentOn(memory, [calls(...names), "ok"], works).run("Go", SOMEONE);
  const results = messages.filter((message) => message.role === "tool");
  return names.flatMap((name, index) => (results[index]?.isError ? [] : (marks.get(name) ?? [])));
}

const plans = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 4 });

describe("whatever tools and agents do in parallel", () => {
  it("no change of a tool that got no error is lost", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plans) => {
        const memory = new InMemory();
        const kept = await marksKept(memory, "a", plans);
        expectAllIn(memory.getState(), kept);
      }),
      { numRuns: 300 },
    );
  });

  it("no change of a stored run is lost between two processes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plans, { minLength: 2, maxLength: 3 }), async (agents) => {
        const folder = mkdtempSync(join(tmpdir(), "agno-chat-state-"));
        const memories = agents.map(() => new SqliteMemory(join(folder, "chat.db")));
        const accounts = agents.map(async (plans, index) => {
          const name = String.fromCharCode(97 + index);
          return marksKept(memories[index] as Memory, name, plans).catch((failure) => {
            expect(failure).toMatchObject({ code: "STATE_CONFLICT", stored: false });
            return [];
          });
        });
        const kept = (await Promise.all(accounts)).flat();
        expectAllIn(await (memories[0] as Memory).getState(), kept);
        for (const memory of memories) await memory.close();
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 30 },
    );
  });
});

function expectAllIn(state: object, kept: readonly string[]): void {
  const stored = Object.entries(state).flatMap(([key, list]) =>
    (list as string[]).map((mark) => `${key}:${mark}`),
  );
  expect(stored).toEqual(expect.arrayContaining([...kept]));
  expect(new Set(stored).size).toBe(stored.length);
}
