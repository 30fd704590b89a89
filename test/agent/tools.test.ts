import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { RunEvent } from "../../src/agent/events.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Model } from "../../src/models/model.js";
import { ScriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.js";
import type { ToolContext } from "../../src/tools/tool.js";
import {
  collect,
  contents,
  expectWellFormed,
  failsWith,
  Gate,
  MEMORIES,
  SOMEONE,
  toolkitOf,
  toolOf,
} from "./support.js";

const calls = (...names: string[]): ScriptedStep => ({
  toolCalls: names.map((name) => ({ name })),
});

describe("the tools of one reply", () => {
  it("run in parallel; results are shown as they come and stored in the order of the calls", async () => {
    const [slowMayEnd, bothStarted] = [new Gate(), new Gate()];
    const slow = toolOf("slow", async () => {
      await slowMayEnd.opened;
      return "slow is done";
    });
    const quick = toolOf("quick", () => {
      bothStarted.open();
      return "quick is done";
    });
    const model = new ScriptedModel([calls("slow", "quick"), "ok"]);
    const agent = new Agent({ model, toolkits: [toolkitOf(slow, quick)] });
    const results: RunEvent[] = [];
    for await (const event of agent.stream("Go", SOMEONE)) {
      if (event.type === "tool-result") results.push(event);
      if (results.length === 1) slowMayEnd.open();
    }
    await bothStarted.opened;
    expect(results.map((event) => "name" in event && event.name)).toEqual(["quick", "slow"]);
    const sent = model.requests[1]?.messages ?? [];
    expect(contents(sent)).toEqual(["Go", "", "slow is done", "quick is done"]);
  });

  it("get the user, session and run they are called for, and nothing of the agent", async () => {
    const seen: ToolContext[] = [];
    const look = toolOf("look", (context) => void seen.push(context));
    const model = new ScriptedModel(({ messages }) =>
      messages.at(-1)?.role === "tool" ? "ok" : (calls("look") as never),
    );
    const agent = new Agent({ model, toolkits: [toolkitOf(look)] });
    const outputs = await Promise.all(
      ["alice", "bob"].map((userId) => agent.run("Go", { userId, sessionId: `of ${userId}` })),
    );
    expect(Object.keys(seen[0] ?? {}).sort()).toEqual([
      "runId",
      "sessionId",
      "signal",
      "state",
      "update",
      "userId",
    ]);
    expect(seen.map(({ userId, sessionId, runId }) => ({ userId, sessionId, runId }))).toEqual(
      outputs.map(({ userId, sessionId, runId }) => ({ userId, sessionId, runId })),
    );
    expect(seen[0]?.state).not.toBe(seen[1]?.state);
    expect(seen[0]?.signal).not.toBe(seen[1]?.signal);
  });

  it("that fail give the model a result to read, and the run continues", async () => {
    const broken = toolOf("broken", () => {
      throw new Error("no such city");
    });
    const model = new ScriptedModel([
      { toolCalls: [{ name: "broken" }, { name: "unknown" }, { name: "broken", arguments: "{" }] },
      "sorry",
    ]);
    const memory = new InMemory();
    const agent = new Agent({ model, memory, toolkits: [toolkitOf(broken)] });
    const { events } = await collect(agent.stream("Go", SOMEONE));
    expect(
      events.filter((event) => event.type === "tool-result").map(({ isError }) => isError),
    ).toEqual([true, true, true]);
    const [first, second, third] = memory.getMessages().filter(({ role }) => role === "tool");
    expect(first).toMatchObject({ isError: true, content: "no such city" });
    expect(second).toMatchObject({ isError: true, content: expect.stringContaining("unknown") });
    expect(third).toMatchObject({
      isError: true,
      content: expect.stringContaining("not valid JSON"),
    });
    expectWellFormed(memory.getMessages());
  });

  it("are offered to the model, which gets no list if there are none", async () => {
    const model = new ScriptedModel(() => "ok");
    await new Agent({ model }).run("Go", SOMEONE);
    await new Agent({ model, toolkits: [{ name: "empty", tools: [] }] }).run("Go", SOMEONE);
    await new Agent({ model, toolkits: [toolkitOf(toolOf("look", () => ""))] }).run("Go", SOMEONE);
    expect(model.requests.map(({ tools }) => tools)).toEqual([
      undefined,
      undefined,
      [{ name: "look", description: "look", parameters: { type: "object" } }],
    ]);
  });
});

describe.each(MEMORIES)("session state, with $name,", ({ open }) => {
  function agentWith(
    script: readonly ScriptedStep[],
    tools: Record<string, (context: ToolContext) => unknown>,
  ) {
    const memory = open();
    const toolkit = toolkitOf(...Object.entries(tools).map(([name, work]) => toolOf(name, work)));
    const agent = new Agent({ model: new ScriptedModel(script), memory, toolkits: [toolkit] });
    return { agent, memory };
  }

  it("is shared by all tools of a run, in parallel and from round to round", async () => {
    const { agent, memory } = agentWith([calls("a", "b"), calls("sum"), "ok"], {
      a: ({ state }) => {
        state.a = 1;
      },
      b: ({ state }) => {
        state.b = 2;
      },
      sum: ({ state }) => {
        state.sum = Number(state.a) + Number(state.b);
      },
    });
    await agent.run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ a: 1, b: 2, sum: 3 });
  });

  it("is copied in and out: a reference that a tool keeps has no effect later", async () => {
    const held: { list: string[] }[] = [];
    const { agent, memory } = agentWith([calls("keep"), "ok", calls("keep"), "ok"], {
      keep: ({ state }) => {
        const list = [...((state.list as string[] | undefined) ?? []), "kept"];
        state.list = list;
        held.push({ list });
      },
    });
    await agent.run("Go", SOMEONE);
    held[0]?.list.push("smuggled");
    ((await memory.getState()).list as string[]).push("smuggled");
    await agent.run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ list: ["kept", "kept"] });
  });

  it("is gone for a tool that keeps it until another user calls", async () => {
    let kept: ToolContext | undefined;
    const seen: unknown[] = [];
    const { agent, memory } = agentWith([calls("keep"), "ok", calls("keep"), "ok"], {
      keep: (context) => {
        if (kept !== undefined) {
          seen.push(
            { ...kept.state },
            kept.update("secret", (secret) => secret ?? "none"),
          );
          kept.state.secret = "bob's";
        }
        kept ??= context;
        context.state.own = "alice's";
      },
    });
    await agent.run("Go", { userId: "alice" });
    await agent.run("Go", { userId: "bob" });
    expect(seen).toEqual([{}, "none"]);
    expect({ ...(await memory.getState("alice")) }).toEqual({ own: "alice's" });
  });

  it("takes nothing more from a call whose time is over", async () => {
    const over = new Gate();
    const done = new Gate();
    const slow = {
      ...toolOf("slow", async ({ state, update }) => {
        const list: string[] = [];
        state.list = list;
        await over.opened;
        list.push("late");
        state.late = true;
        update("late", () => true);
        setImmediate(done.open);
      }),
      timeoutMs: 1,
    };
    const memory = open();
    const goOn: ScriptedStep = async () => {
      over.open();
      await done.opened;
      return { toolCalls: [{ name: "next" }] };
    };
    const agent = new Agent({
      model: new ScriptedModel([calls("slow"), goOn, "ok"]),
      memory,
      toolkits: [
        toolkitOf(
          slow,
          toolOf("next", () => "done"),
        ),
      ],
    });
    await agent.run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ list: [] });
  });

  it("stores changes deep inside a value", async () => {
    const { agent, memory } = agentWith([calls("make"), "ok", calls("change"), "ok"], {
      make: ({ state }) => {
        state.deep = { list: [1] };
      },
      change: ({ state }) => {
        (state.deep as { list: number[] }).list.push(2);
      },
    });
    await agent.run("Go", SOMEONE);
    await agent.run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ deep: { list: [1, 2] } });
  });

  it("loses a key that is deleted or set to undefined, and no other", async () => {
    const { agent, memory } = agentWith([calls("make"), "ok", calls("drop"), "ok"], {
      make: ({ state }) => Object.assign(state, { a: 1, b: 2, c: 3 }) && "made",
      drop: ({ state }) => {
        state.a = undefined as never;
        delete state.b;
      },
    });
    await agent.run("Go", SOMEONE);
    await agent.run("Go", SOMEONE);
    expect({ ...(await memory.getState()) }).toEqual({ c: 3 });
  });

  it("treats __proto__ and the like as ordinary keys", async () => {
    const keys = ["__proto__", "constructor", "toString", "", "a.b", "\0", "\ud800"];
    const { agent, memory } = agentWith([calls("make"), "ok", calls("drop"), "ok"], {
      make: ({ state }) => {
        for (const key of keys) state[key] = { polluted: true };
      },
      drop: ({ state }) => {
        for (const key of keys.slice(1)) delete state[key];
      },
    });
    await agent.run("Go", SOMEONE);
    expect(Object.keys(await memory.getState()).sort()).toEqual([...keys].sort());
    await agent.run("Go", SOMEONE);
    const state = await memory.getState();
    expect(Object.keys(state)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(state)).toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("is not overwritten by a run that only reads it", async () => {
    const memory = open();
    const look = toolOf("look", async ({ state }) => {
      expect({ ...state }).toEqual({ a: 1 });
      await memory.add([], "alice", { state: { a: 2 } });
    });
    await memory.add([], "alice", { state: { a: 1 } });
    const agent = new Agent({
      model: new ScriptedModel([calls("look"), "ok"]),
      memory,
      toolkits: [toolkitOf(look)],
    });
    await agent.run("Go", { userId: "alice" });
    expect({ ...(await memory.getState("alice")) }).toEqual({ a: 2 });
  });
});

describe("a misbehaving model", () => {
  const spoiling = (change: (tools: never) => void): Model => ({
    name: "spoiling",
    async *stream({ tools }) {
      change(tools as never);
      yield { type: "text-delta", text: "Done" };
      yield { type: "finish", reason: "stop" };
    },
  });

  it("cannot change the tool specs, which all users share", async () => {
    const seen: unknown[] = [];
    const model = spoiling((tools: { description: string; parameters: { type: string } }[]) => {
      seen.push(structuredClone(tools));
      for (const tool of tools) {
        expect(() => Object.assign(tool, { description: "alice was here" })).toThrow(TypeError);
        expect(() => Object.assign(tool.parameters, { type: "alice" })).toThrow(TypeError);
      }
    });
    const agent = new Agent({ model, toolkits: [toolkitOf(toolOf("look", () => "seen"))] });
    await agent.run("Hi", { userId: "alice" });
    await agent.run("Hi", { userId: "bob" });
    expect(seen[1]).toEqual(seen[0]);
  });

  it("is refused if it calls more than 128 tools at once, and none runs", async () => {
    let called = 0;
    const look = toolOf("look", () => String(called++));
    const many = Array.from({ length: 129 }, () => ({ name: "look" }));
    const model = new ScriptedModel([{ toolCalls: many }]);
    await failsWith(
      new Agent({ model, toolkits: [toolkitOf(look)] }).run("Hi", SOMEONE),
      "MODEL_BAD_RESPONSE",
    );
    expect(called).toBe(0);
  });

  it("is refused if a text delta is not a string", async () => {
    for (const text of [undefined, { a: 1 }, 7]) {
      const model: Model = {
        name: "wrong",
        async *stream() {
          yield { type: "text-delta", text } as never;
          yield { type: "finish", reason: "stop" };
        },
      };
      await failsWith(new Agent({ model }).run("Hi", SOMEONE), "MODEL_BAD_RESPONSE");
    }
  });
});
