import { describe, expect, it } from "vitest";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { plainMessage, systemMessage } from "../../src/messages.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { collect, contents, failsWith, MEMORIES, SOMEONE, toolkitOf, toolOf } from "./support.js";

const model = () => new ScriptedModel(() => "ok");

describe("an agent", () => {
  it.each<[string, Partial<AgentOptions>, string]>([
    ["without a model", { model: undefined as never }, "USAGE"],
    ["with a model that cannot stream", { model: {} as never }, "USAGE"],
    ["with maxLoops 0", { maxLoops: 0 }, "USAGE"],
    ["with maxLoops 1.5", { maxLoops: 1.5 }, "USAGE"],
    ["with a negative historyLimit", { historyLimit: -1 }, "USAGE"],
    ["with historyLimit NaN", { historyLimit: Number.NaN }, "USAGE"],
    ["with an empty user", { userId: "" }, "INVALID_USER_ID"],
    [
      "with two tools of the same name",
      {
        toolkits: [
          toolkitOf(
            toolOf("a", () => 1),
            toolOf("a", () => 2),
          ),
        ],
      },
      "USAGE",
    ],
  ])("%s is refused by the constructor", (_, options, code) => {
    expect(() => new Agent({ model: model(), ...options })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it("needs only a model, and uses the session named default", async () => {
    const agent = new Agent({ model: model() });
    expect(agent.name).toBe("agno-chat");
    expect(await agent.run("Hi", { userId: "alice" })).toMatchObject({
      userId: "alice",
      sessionId: "default",
      content: "ok",
    });
  });

  it("refuses options that are not a plain object, in which a user could be overlooked", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: model(), memory, userId: "owner" });
    class Options {
      get userId() {
        return "bob";
      }
    }
    const inherited = [{ userId: "bob" }, Object.assign(Object.create(null), { userId: "bob" })];
    const heirs = inherited.map((options) => Object.create(options));
    for (const options of [new Options(), ...heirs, []])
      await failsWith(agent.run("Hi", options as never), "USAGE");
    expect(await memory.users()).toEqual([]);
    const bare = Object.assign(Object.create(null), { userId: "bob" });
    expect(await agent.run("Hi", bare)).toMatchObject({ userId: "bob" });
  });

  it("refuses a signal that is none, such as the controller, before the run begins", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: model(), memory });
    for (const signal of [new AbortController(), { aborted: true }, null, "signal"]) {
      await failsWith(agent.run("Hi", { userId: "alice", signal: signal as never }), "USAGE");
      const { failure } = await collect(
        agent.stream("Hi", { userId: "alice", signal: signal as never }),
      );
      expect(failure).toMatchObject({ code: "USAGE" });
    }
    expect(await memory.users()).toEqual([]);
    expect(await agent.run("Hi", { userId: "alice" })).toMatchObject({ content: "ok" });
  });

  it("gives out views whose user nobody can change", async () => {
    const memory = new InMemory();
    const view = new Agent({ model: model(), memory }).forUser("bob");
    for (const other of ["alice", ""])
      expect(() => {
        (view as { userId: string }).userId = other;
      }).toThrow(TypeError);
    await view.run("Hi");
    expect(memory.users().map(({ userId }) => userId)).toEqual(["bob"]);
  });

  it("refuses every call without a user instead of using a default one", async () => {
    const memory = new InMemory();
    const agent = new Agent({ model: model(), memory });
    // @ts-expect-error a run needs a user
    await failsWith(agent.run("Hi"), "INVALID_USER_ID");
    // @ts-expect-error as above
    await failsWith(agent.run("Hi", { sessionId: "work" }), "INVALID_USER_ID");
    // @ts-expect-error as above
    await failsWith(agent.run("Hi", {}), "INVALID_USER_ID");
    // @ts-expect-error as above
    const { failure } = await collect(agent.stream("Hi"));
    expect(failure).toMatchObject({ code: "INVALID_USER_ID" });
    // @ts-expect-error as above
    await failsWith(agent.context(), "INVALID_USER_ID");
    expect(memory.users()).toEqual([]);
  });

  it("refuses an unknown option, and suggests the right one", async () => {
    const memory = new InMemory();
    const scripted = model();
    const agent = new Agent({ model: scripted, memory, userId: "owner" });
    const misspelt = { user: "bob" } as never;
    const refused = { code: "USAGE", hint: "Did you mean userId?" };
    await expect(agent.run("Hi", misspelt)).rejects.toMatchObject(refused);
    expect((await collect(agent.stream("Hi", misspelt))).failure).toMatchObject(refused);
    await failsWith(agent.forUser("bob").run("Hi", { userId: "alice" } as never), "USAGE");
    await failsWith(agent.forUser("bob").clear({ session: "work" } as never), "USAGE");
    expect(() => new Agent({ model: scripted, user: "bob" } as never)).toThrow(
      expect.objectContaining(refused),
    );
    expect([scripted.requests, memory.users()]).toEqual([[], []]);
  });

  it("uses its own user for calls that name none", async () => {
    const agent = new Agent({ model: model(), userId: "owner" });
    expect((await agent.run("Hi")).userId).toBe("owner");
    expect((await agent.run("Hi", { sessionId: undefined })).userId).toBe("owner");
    expect((await agent.run("Hi", { userId: "guest" })).userId).toBe("guest");
  });

  it.each([undefined, null, "", " ", 42, ["alice"], {}])(
    "refuses the user %o instead of falling back to its own user",
    async (userId) => {
      const memory = new InMemory();
      const agent = new Agent({ model: model(), memory, userId: "owner" });
      const options = { userId: userId as string };
      await failsWith(agent.run("Hi", options), "INVALID_USER_ID");
      expect((await collect(agent.stream("Hi", options))).failure).toMatchObject({
        code: "INVALID_USER_ID",
      });
      await failsWith(agent.context(options), "INVALID_USER_ID");
      expect(() => agent.forUser(userId as string)).toThrow();
      expect(memory.users()).toEqual([]);
    },
  );

  it.each([null, "", "a\nb", 42])("refuses the session %o", async (sessionId) => {
    await failsWith(
      new Agent({ model: model() }).run("Hi", { ...SOMEONE, sessionId: sessionId as string }),
      "INVALID_SESSION_ID",
    );
  });
});

describe("the output of a run", () => {
  it("contains the answer, all stored messages, and the usage of all model calls", async () => {
    const scripted = new ScriptedModel([
      {
        text: "Let me see. ",
        toolCalls: [{ name: "look" }],
        usage: { inputTokens: 10, outputTokens: 1 },
      },
      {
        text: "A shell.",
        reason: "length",
        usage: { inputTokens: 20, outputTokens: 2, estimated: true },
      },
    ]);
    const memory = new InMemory();
    const agent = new Agent({
      model: scripted,
      memory,
      toolkits: [toolkitOf(toolOf("look", () => "seen"))],
    });
    const output = await agent.run("Look", { userId: "alice", sessionId: "beach" });
    expect(output).toMatchObject({
      userId: "alice",
      sessionId: "beach",
      content: "A shell.",
      finishReason: "length",
      usage: { inputTokens: 30, outputTokens: 3, estimated: true },
    });
    expect(output.messages).toEqual(memory.getMessages("alice"));
    expect(new Set(output.messages.map(({ runId }) => runId))).toEqual(new Set([output.runId]));
    expect(output.messages.map(({ model }) => model)).toEqual([
      undefined,
      "scripted",
      undefined,
      "scripted",
    ]);
  });

  it("has exact usage if all parts are exact, and none if the model reports none", async () => {
    const usage = { inputTokens: 1, outputTokens: 1 };
    const scripted = new ScriptedModel([
      { toolCalls: [{ name: "no" }], usage },
      { text: "a", usage },
      "b",
    ]);
    const agent = new Agent({ model: scripted });
    expect((await agent.run("1", SOMEONE)).usage).toEqual({ inputTokens: 2, outputTokens: 2 });
    expect((await agent.run("2", SOMEONE)).usage).toBeUndefined();
  });
});

describe.each(MEMORIES)("the view of a user, with $name,", ({ open }) => {
  it("reaches only that user's data", async () => {
    const memory = open();
    const look = toolOf("look", ({ state }) => void Object.assign(state, { seen: 1 }));
    const scripted = new ScriptedModel(({ messages }) =>
      messages.at(-1)?.role === "user" ? { toolCalls: [{ name: "look" }] } : "ok",
    );
    const agent = new Agent({ model: scripted, memory, toolkits: [toolkitOf(look)] });
    const [alice, bob] = [agent.forUser("alice"), agent.forUser("bob")];
    await alice.run("Hi");
    await collect(alice.stream("Work", { sessionId: "work" }));
    await bob.run("I am Bob");

    expect(alice.userId).toBe("alice");
    expect(contents(await alice.history({ sessionId: "work" }))).toEqual([
      "Work",
      "",
      "done",
      "ok",
    ]);
    expect([await alice.size(), await alice.size({ sessionId: "work" }), await bob.size()]).toEqual(
      [8, 4, 4],
    );
    expect((await alice.sessions()).map(({ sessionId }) => sessionId).sort()).toEqual([
      "default",
      "work",
    ]);
    expect({ ...(await alice.state()) }).toEqual({ seen: 1 });
    expect(contents((await bob.context()).messages)).toEqual(["I am Bob", "", "done", "ok"]);
    expect(await alice.clear()).toEqual({ messages: 8, sessions: 2 });
    expect([await alice.size(), await bob.size()]).toEqual([0, 4]);
    expect({ ...(await alice.state()) }).toEqual({});
  });

  it("shows in context exactly what the next call sends before the new message", async () => {
    const memory = open();
    const scripted = model();
    await memory.add(systemMessage("Alice likes tea."), "alice");
    const toolkits = [toolkitOf(toolOf("look", () => ""))];
    const agent = new Agent({
      model: scripted,
      memory,
      instructions: "Be kind.",
      historyLimit: 4,
      toolkits,
    });
    const alice = agent.forUser("alice");
    for (const input of ["1", "2", "3", "4"]) {
      const { messages, tools } = await alice.context();
      await alice.run(input);
      expect(scripted.requests.at(-1)?.tools).toEqual(tools);
      const sent = scripted.requests.at(-1)?.messages.slice(0, -1);
      expect(sent?.map(plainMessage)).toEqual(messages);
      expect(messages.length).toBeLessThanOrEqual(5);
      expect(messages[0]?.content).toBe("Be kind.\n\nAlice likes tea.");
    }
  });
});

it("one agent serves 1,000 users at once", async () => {
  const memory = new InMemory();
  const agent = new Agent({ model: model(), memory });
  await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => agent.run("Hi", { userId: `user-${index}` })),
  );
  expect(memory.users()).toHaveLength(1_000);
});
