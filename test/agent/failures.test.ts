import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Agent, type RunOptions } from "../../src/agent/agent.js";
import { AgnoChatError } from "../../src/errors.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import type { Model, ModelEvent } from "../../src/models/model.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import {
  collect,
  contents,
  dump,
  expectWellFormed,
  failsWith,
  Gate,
  MEMORIES,
  SOMEONE,
  settled,
  toolkitOf,
  toolOf,
  userTexts,
} from "./support.js";

const complaints: unknown[] = [];
const complain = (complaint: unknown) => complaints.push(complaint);
beforeAll(() => {
  process.on("unhandledRejection", complain);
  process.on("warning", complain);
});
afterAll(async () => {
  await settled();
  process.off("unhandledRejection", complain);
  process.off("warning", complain);
  expect(complaints).toEqual([]);
});

const alice = { userId: "alice" };

const note = toolOf("note", ({ state }) => {
  state.noted = ((state.noted as number | undefined) ?? 0) + 1;
});
const callNote = { toolCalls: [{ name: "note" }] };

/** An agent for which alice already has a history and a state. Its model follows the script. */
async function agentWithPast(memory: Memory, script: readonly ScriptedStep[], maxLoops = 10) {
  const model = new ScriptedModel([callNote, "noted", ...script, "fine again"]);
  const agent = new Agent({ model, memory, maxLoops, toolkits: [toolkitOf(note)] });
  await agent.run("first", alice);
  const before = await dump(memory);
  const expectUntouched = async () => {
    expect(await dump(memory)).toBe(before);
    await agent.run("next", alice);
    model.assertDone();
    const history = await memory.getMessages("alice");
    expectWellFormed(history);
    expect(userTexts(history)).toEqual(["first", "next"]);
    expect(userTexts(model.requests.at(-1)?.messages ?? [])).toEqual(["first", "next"]);
    expect({ ...(await memory.getState("alice")) }).toEqual({ noted: 1 });
  };
  return { agent, expectUntouched };
}

describe.each(MEMORIES)("with $name, history and state stay byte for byte the same", ({ open }) => {
  const unavailable = new AgnoChatError("MODEL_UNAVAILABLE", "The model is down.");

  it.each<[string, readonly ScriptedStep[], string]>([
    ["at once", [unavailable], "MODEL_UNAVAILABLE"],
    ["in the middle of a text", [{ text: ["Half "], error: unavailable }], "MODEL_UNAVAILABLE"],
    ["after a tool call", [{ ...callNote, error: unavailable }], "MODEL_UNAVAILABLE"],
    ["after a round of tools", [callNote, unavailable], "MODEL_UNAVAILABLE"],
    [
      "with an error that is not ours",
      [new TypeError("x is not a function")],
      "MODEL_BAD_RESPONSE",
    ],
  ])("when the model fails %s, with run and stream", async (_, script, code) => {
    const run = await agentWithPast(open(), script);
    await failsWith(run.agent.run("lost", alice), code as never);
    await run.expectUntouched();

    const stream = await agentWithPast(open(), script);
    const { events, failure } = await collect(stream.agent.stream("lost", alice));
    expect(failure).toMatchObject({ code });
    expect(events.map(({ type }) => type)).not.toContain("run-end");
    await stream.expectUntouched();
  });

  it("when the model never stops calling tools", async () => {
    const { agent, expectUntouched } = await agentWithPast(open(), [callNote, callNote], 2);
    await failsWith(agent.run("loop", alice), "MAX_LOOPS");
    await expectUntouched();
  });

  it("when the last model call allowed still asks for tools, which do not run", async () => {
    let calls = 0;
    const count = toolOf("count", () => calls++);
    const model = new ScriptedModel(() => ({ toolCalls: [{ name: "count" }] }));
    const agent = new Agent({ model, memory: open(), maxLoops: 3, toolkits: [toolkitOf(count)] });
    await failsWith(agent.run("loop", SOMEONE), "MAX_LOOPS");
    expect(model.requests).toHaveLength(3);
    expect(calls).toBe(2);
  });

  it("when it is cancelled between two rounds", async () => {
    const controller = new AbortController();
    const cancel: ScriptedStep = () => {
      controller.abort();
      return "too late";
    };
    const { agent, expectUntouched } = await agentWithPast(open(), [callNote, cancel]);
    await failsWith(agent.run("lost", { ...alice, signal: controller.signal }), "CANCELLED");
    await expectUntouched();
  });

  it("when a tool leaves a state that is not JSON", async () => {
    const memory = open();
    const spoil = toolOf("spoil", ({ state }) => {
      state.good = 1;
      state.bad = new Map() as never;
    });
    const model = new ScriptedModel([{ toolCalls: [{ name: "spoil" }] }]);
    const agent = new Agent({ model, memory, toolkits: [toolkitOf(spoil)] });
    await failsWith(agent.run("Hi", alice), "INVALID_STATE");
    expect(await memory.users()).toEqual([]);
  });

  it("when the input is empty or not a string", async () => {
    const { agent, expectUntouched } = await agentWithPast(open(), []);
    for (const input of ["", " ", "\n\t", undefined, 42, {}])
      await failsWith(agent.run(input as string, alice), "INVALID_INPUT");
    await expectUntouched();
  });
});

describe("a memory that fails", () => {
  const crash = new Error("disk full");
  class Crashing extends InMemory {
    broken: "add" | "read" | undefined;
    override add(...args: Parameters<InMemory["add"]>) {
      if (this.broken === "add") throw crash;
      return super.add(...args);
    }
    override read(...args: Parameters<InMemory["read"]>) {
      if (this.broken === "read") throw crash;
      return super.read(...args);
    }
  }

  it.each(["add", "read"] as const)(
    "in %s fails the run, and the next run succeeds",
    async (broken) => {
      const memory = new Crashing();
      const { agent, expectUntouched } = await agentWithPast(
        memory,
        broken === "add" ? ["lost"] : [],
      );
      memory.broken = broken;
      await expect(agent.run("lost", alice)).rejects.toBe(crash);
      memory.broken = undefined;
      await expectUntouched();
    },
  );

  it("while storing an interrupted reply is reported instead of the cancellation", async () => {
    const memory = new Crashing();
    const agent = new Agent({ model: endless, memory });
    memory.broken = "add";
    const controller = new AbortController();
    const result = collect(agent.stream("Hi", { ...SOMEONE, signal: controller.signal }));
    await settled();
    controller.abort();
    expect((await result).failure).toBe(crash);
  });
});

describe("clear during a run", () => {
  const scopes: readonly [string, RunOptions, (memory: Memory) => unknown][] = [
    ["of the user", alice, (memory) => memory.clear("alice")],
    [
      "of the session",
      { ...alice, sessionId: "work" },
      (memory) => memory.clear("alice", { sessionId: "work" }),
    ],
    ["of all users", alice, (memory) => memory.clearAll()],
  ];

  describe.each(MEMORIES)("on $name", ({ open }) => {
    it.each(scopes)(
      "%s ends the run with HISTORY_CLEARED, and nothing comes back (%o)",
      async (_, who, clear) => {
        const memory = open();
        const model = new ScriptedModel([
          "one",
          async () => {
            await clear(memory);
            return "ghost";
          },
          "new",
        ]);
        const agent = new Agent({ model, memory });
        await agent.run("first", who);
        await failsWith(agent.run("ghost?", who), "HISTORY_CLEARED");
        expect(await memory.users()).toEqual([]);
        await agent.run("again", who);
        expect(contents(await memory.getMessages("alice"))).toEqual(["again", "new"]);
        expect(contents(model.requests.at(-1)?.messages ?? [])).toEqual(["again"]);
      },
    );

    it("through the agent also ends the first run of a session, of which nothing is stored yet", async () => {
      for (const [scope, options] of [
        [{}, {}],
        [{}, { sessionId: "work" }],
        [{ sessionId: "work" }, { sessionId: "work" }],
      ]) {
        const memory = open();
        const model = new ScriptedModel([
          async () => {
            await agent.forUser("alice").clear(scope);
            return "ghost";
          },
          "new",
        ]);
        const agent = new Agent({ model, memory });
        await failsWith(agent.run("ghost?", { ...alice, ...options }), "HISTORY_CLEARED");
        expect(await memory.users()).toEqual([]);
        await agent.run("again", { ...alice, ...options });
        expect(contents(await memory.getMessages("alice"))).toEqual(["again", "new"]);
      }
    });

    it("through the agent spares waiting runs, other sessions and other users", async () => {
      const memory = open();
      const gate = new Gate();
      const model = new ScriptedModel(() => gate.opened.then(() => "reply"));
      const agent = new Agent({ model, memory });
      const first = agent.run("ghost?", alice);
      const others = [
        agent.run("waiting", alice),
        agent.run("other session", { ...alice, sessionId: "work" }),
        agent.run("other user", { userId: "bob" }),
      ];
      await settled();
      await agent.forUser("alice").clear({ sessionId: "default" });
      gate.open();
      await failsWith(first, "HISTORY_CLEARED");
      await Promise.all(others);
      expect(await memory.size("alice")).toBe(4);
      expect(await memory.size("bob")).toBe(2);
    });

    it("lets a waiting run start with an empty history", async () => {
      const memory = open();
      const gate = new Gate();
      const model = new ScriptedModel(["one", () => gate.opened.then(() => "ghost"), "new"]);
      const agent = new Agent({ model, memory });
      await agent.run("first", alice);
      const first = agent.run("ghost?", alice);
      const second = agent.run("second", alice);
      await settled();
      await memory.clear("alice");
      gate.open();
      await failsWith(first, "HISTORY_CLEARED");
      await second;
      expect(contents(await memory.getMessages("alice"))).toEqual(["second", "new"]);
    });

    it("of another user or session has no effect", async () => {
      const memory = open();
      const model = new ScriptedModel(async () => {
        await memory.clear("bob");
        await memory.clear("alice", { sessionId: "work" });
        await memory.clear();
        return "kept";
      });
      const agent = new Agent({ model, memory });
      await agent.run("one", alice);
      await agent.run("two", alice);
      expect(contents(await memory.getMessages("alice"))).toEqual(["one", "kept", "two", "kept"]);
    });

    it("keeps nothing of a stream that is cancelled afterwards", async () => {
      const memory = open();
      const controller = new AbortController();
      const agent = new Agent({ model: endless, memory });
      for await (const event of agent.stream("Hi", { ...alice, signal: controller.signal }))
        if (event.type === "text-delta") break;
      expect(await memory.size("alice")).toBe(2);
      const iterator = agent.stream("ghost?", alice)[Symbol.asyncIterator]();
      while ((await iterator.next()).value?.type !== "text-delta");
      await memory.clear("alice");
      await iterator.return?.();
      expect(await memory.size("alice")).toBe(0);
    });
  });
});

/** Shows a word, then waits forever and ignores the signal. */
const endless: Model = {
  name: "endless",
  async *stream(): AsyncGenerator<ModelEvent> {
    yield { type: "text-delta", text: "one" };
    await new Promise(() => {});
  },
};

const modelOf = (stream: Model["stream"]): Model => ({ name: "odd", stream });

/** Whatever is done with it throws. */
function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("a model that breaks its contract", () => {
  const oddities: readonly [string, Model["stream"]][] = [
    [
      "ends without a finish",
      async function* () {
        yield { type: "text-delta", text: "Half" };
      },
    ],
    ["ends at once", async function* () {}],
    [
      "finishes with a text that is not a string",
      async function* () {
        yield { type: "finish", reason: "stop", text: 42 as never };
      },
    ],
    [
      "calls a tool without an id",
      async function* () {
        yield { type: "tool-call", name: "clock", arguments: "{}" } as never;
        yield { type: "finish", reason: "tool-calls" };
      },
    ],
    [
      "counts no tokens in its usage",
      async function* () {
        const usage = { inputTokens: Number.NaN, outputTokens: 1 };
        yield { type: "finish", reason: "stop", text: "Hello", usage };
      },
    ],
    [
      "throws in stream()",
      () => {
        throw new TypeError("no such option");
      },
    ],
    [
      "throws while streaming",
      async function* () {
        yield { type: "text-delta", text: "Half" };
        throw new TypeError("cannot read");
      },
    ],
    [
      "throws a string",
      async function* () {
        yield { type: "text-delta", text: "Half" };
        throw "a string";
      },
    ],
    [
      "throws what cannot be looked at",
      async function* () {
        yield { type: "text-delta", text: "Half" };
        throw revokedProxy();
      },
    ],
    ["returns nothing to iterate", () => undefined as never],
    [
      "yields undefined",
      async function* () {
        yield undefined as never;
      },
    ],
    [
      "throws when its iterator is closed",
      () => ({
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: true as const, value: undefined }),
          return: () => {
            throw new Error("cannot leave");
          },
        }),
      }),
    ],
  ];

  it.each(oddities)(
    "%s: the run fails with one clear code and stores nothing",
    async (_, stream) => {
      const memory = new InMemory();
      const agent = new Agent({ model: modelOf(stream), memory });
      const failure = await agent.run("Hi", SOMEONE).catch((thrown) => thrown);
      expect(failure).toMatchObject({ name: "AgnoChatError", code: "MODEL_BAD_RESPONSE" });
      expect(failure.message).toMatch(/^.*odd.*\.$/);
      expect((await collect(agent.stream("Hi", SOMEONE))).failure).toMatchObject({
        code: "MODEL_BAD_RESPONSE",
      });
      expect(memory.users()).toEqual([]);
    },
  );

  it("cannot say its name: no later run of the session waits for that one", async () => {
    for (let first = 1; first <= 4; first += 1) {
      let asked = 0;
      const model: Model = {
        get name() {
          asked += 1;
          if (asked === first) throw new Error("no name");
          return "odd";
        },
        async *stream() {
          yield { type: "finish", reason: "stop", text: "Hello" };
        },
      };
      const agent = new Agent({ model });
      const runs = [agent.run("Hi", SOMEONE), agent.run("Hi", SOMEONE)];
      const ends = (await Promise.allSettled(runs)).map(({ status }) => status);
      expect(ends).toContain("fulfilled");
      expect(await agent.run("Hi", SOMEONE)).toMatchObject({ content: "Hello" });
    }
  });

  it("continues after its finish: the rest is ignored", async () => {
    const model = modelOf(async function* () {
      yield { type: "text-delta", text: "Hello" };
      yield { type: "finish", reason: "stop" };
      yield { type: "text-delta", text: " and more" };
    });
    expect((await new Agent({ model }).run("Hi", SOMEONE)).content).toBe("Hello");
  });

  it("fails to close: its answer still counts", async () => {
    const events: ModelEvent[] = [
      { type: "text-delta", text: "Hello" },
      { type: "finish", reason: "stop" },
    ];
    const returns = [
      () => {
        throw new Error("no");
      },
      () => Promise.reject(new Error("no")),
      () => undefined as never,
    ];
    for (const leave of returns) {
      const left = [...events];
      const next = async () => ({ done: false as const, value: left.shift() as ModelEvent });
      const iterator = { next, return: leave };
      const model = modelOf(() => ({ [Symbol.asyncIterator]: () => iterator }));
      expect((await new Agent({ model }).run("Hi", SOMEONE)).finishReason).toBe("stop");
    }
  });

  it("answers without promises: its answer counts", async () => {
    const events: ModelEvent[] = [
      { type: "text-delta", text: "Hello" },
      { type: "finish", reason: "stop" },
    ];
    const next = () => ({ done: false, value: events.shift() }) as never;
    const model = modelOf(() => ({ [Symbol.asyncIterator]: () => ({ next }) }));
    expect((await new Agent({ model }).run("Hi", SOMEONE)).content).toBe("Hello");
  });

  it("is closed when its answer is complete", async () => {
    let left = false;
    const model = modelOf(async function* () {
      try {
        yield { type: "text-delta", text: "Hello" };
        yield { type: "finish", reason: "stop" };
      } finally {
        left = true;
      }
    });
    await new Agent({ model }).run("Hi", SOMEONE);
    expect(left).toBe(true);
  });
});

describe("a cancel ends a run at once, even if everything ignores the signal,", () => {
  const never = new Promise<never>(() => {});
  const stuckTool = toolOf("stuck", () => never);
  const script: readonly ScriptedStep[] = [{ toolCalls: [{ name: "stuck" }] }];
  const agents: Record<string, () => Agent> = {
    connecting: () =>
      new Agent({
        model: modelOf(() => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) })),
      }),
    streaming: () => new Agent({ model: endless }),
    "in a tool": () =>
      new Agent({ model: new ScriptedModel(script), toolkits: [toolkitOf(stuckTool)] }),
    queued: () => {
      const agent = new Agent({ model: endless });
      agent.stream("before it", SOMEONE);
      return agent;
    },
    "reading its history": () => {
      class Stuck extends InMemory {
        override read(): never {
          return never as never;
        }
      }
      return new Agent({ model: endless, memory: new Stuck() });
    },
  };

  it.each(Object.entries(agents))("while it is %s", async (_, make) => {
    for (const work of [
      (agent: Agent, options: RunOptions) => agent.run("Hi", options),
      async (agent: Agent, options: RunOptions) => {
        const { failure } = await collect(agent.stream("Hi", options));
        throw failure;
      },
    ]) {
      const controller = new AbortController();
      const outcome = work(make(), { ...SOMEONE, signal: controller.signal });
      outcome.catch(() => {});
      await sleep(5);
      controller.abort();
      await failsWith(Promise.race([outcome, settled()]), "CANCELLED");
    }
  });

  it("with the caller's AgnoChatError, or with CANCELLED and the caller's reason as its cause", async () => {
    const agent = new Agent({ model: endless });
    const late = new AgnoChatError("MODEL_TIMEOUT", "Too slow.");
    await expect(
      agent.run("Hi", { ...SOMEONE, signal: AbortSignal.abort(late) }),
    ).rejects.toMatchObject({
      code: "MODEL_TIMEOUT",
      message: "Too slow.",
    });
    const failure = await agent
      .run("Hi", { ...SOMEONE, signal: AbortSignal.timeout(5) })
      .catch((thrown) => thrown);
    expect(failure).toMatchObject({ code: "CANCELLED", cause: { name: "TimeoutError" } });
  });
});

describe("signals", () => {
  it("can be shared by many runs, without a warning and without a remaining listener", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const agent = new Agent({ model: new ScriptedModel(() => "ok") });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => agent.run("Hi", { userId: `u${index}`, signal })),
    );
    expect(added.mock.calls.map(([, listener]) => listener)).toHaveLength(50);
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      expect.arrayContaining(added.mock.calls.map(([, listener]) => listener)),
    );
  });

  it("of one run can have many tools listening at once", async () => {
    const listen = toolOf("listen", ({ signal }) => signal.addEventListener("abort", () => {}));
    const model = new ScriptedModel([{ toolCalls: Array(30).fill({ name: "listen" }) }, "ok"]);
    await new Agent({ model, toolkits: [toolkitOf(listen)] }).run("Hi", SOMEONE);
  });
});
