import { describe, expect, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import {
  assistantMessage,
  type StoredMessage,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../src/messages.js";
import { cpuTime } from "../support/cpu-time.js";

const texts = (messages: readonly StoredMessage[]) => messages.map(({ content }) => content);

const run = (name: string) => [userMessage(`${name}?`), assistantMessage(`${name}!`)];

const toolRun = (name: string) => [
  userMessage(`${name}?`),
  assistantMessage("", [{ id: "c", name: "clock", arguments: "{}" }]),
  toolMessage("c", "noon"),
  assistantMessage(`${name}!`),
];

const isFrozenDeeply = (value: unknown): boolean =>
  typeof value !== "object" ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozenDeeply));

describe("InMemory", () => {
  it("answers without a promise", () => {
    const memory = new InMemory();
    memory.add(userMessage("hi"), "user-a");
    expect(memory.size("user-a")).toBe(1);
    expect(memory.getMessages("user-a")[0]?.content).toBe("hi");
  });

  it("drops the oldest messages at the limit, but no system messages", () => {
    const memory = new InMemory(5);
    memory.add(systemMessage("S"), "a");
    for (const name of ["1", "2", "3"]) memory.add(run(name), "a");
    expect(texts(memory.getMessages("a"))).toEqual(["S", "2?", "2!", "3?", "3!"]);
    expect(texts(memory.read("a").messages)).toEqual(["S", "2?", "2!", "3?", "3!"]);
    expect(memory.read("a").total).toBe(7);
    expect(memory.size("a")).toBe(5);
  });

  it("drops no messages of another user at one user's limit", () => {
    const memory = new InMemory(2);
    memory.add(run("b"), "b");
    for (let index = 0; index < 10; index += 1) memory.add(run(`${index}`), "a");
    expect(texts(memory.getMessages("b"))).toEqual(["b?", "b!"]);
    expect(texts(memory.getMessages("a"))).toEqual(["9?", "9!"]);
  });

  it("never splits a run, so every tool result keeps its call", () => {
    for (let limit = 0; limit <= 12; limit += 1) {
      const memory = new InMemory(limit);
      for (const name of ["1", "2", "3"]) memory.add(toolRun(name), "a");
      const kept = Math.max(1, Math.min(3, Math.floor(limit / 4)));
      expect(memory.size("a")).toBe(4 * kept);
      expect(memory.getMessages("a")[0]?.role).toBe("user");
    }
  });

  it("keeps a run that is longer than the limit while it is the newest", () => {
    const memory = new InMemory(3);
    for (const message of toolRun("long")) memory.add(message, "a");
    expect(memory.size("a")).toBe(4);
    memory.add(run("next"), "a");
    expect(texts(memory.getMessages("a"))).toEqual(["next?", "next!"]);
  });

  it("counts all sessions of a user and drops the run whose latest message is oldest", () => {
    const memory = new InMemory(4);
    memory.add(userMessage("a1"), "u", { sessionId: "a" });
    memory.add(userMessage("b1"), "u", { sessionId: "b" });
    memory.add(assistantMessage("a2"), "u", { sessionId: "a" });
    memory.add(userMessage("c1"), "u", { sessionId: "c" });
    memory.add(userMessage("c2"), "u", { sessionId: "c" });
    expect(texts(memory.getMessages("u"))).toEqual(["a1", "a2", "c1", "c2"]);
    expect(
      memory
        .sessions("u")
        .map(({ sessionId }) => sessionId)
        .sort(),
    ).toEqual(["a", "c"]);
    memory.add(userMessage("c3"), "u", { sessionId: "c" });
    expect(texts(memory.getMessages("u"))).toEqual(["c1", "c2", "c3"]);
  });

  it("keeps the state of a session whose messages were all dropped", () => {
    const memory = new InMemory(2);
    memory.add(run("old"), "a", { sessionId: "old", state: { key: 1 } });
    memory.add(run("new"), "a");
    expect(memory.size("a", { sessionId: "old" })).toBe(0);
    expect(memory.getState("a", { sessionId: "old" })).toEqual({ key: 1 });
    // The run it would continue was dropped.
    memory.add(assistantMessage("late"), "a", { sessionId: "old" });
    expect(texts(memory.getMessages("a"))).toEqual(["late"]);
  });

  it("drops the right runs after another session was cleared", () => {
    const memory = new InMemory(4);
    memory.add(run("1"), "a", { sessionId: "s" });
    memory.add(run("2"), "a");
    memory.clear("a", { sessionId: "s" });
    memory.add(run("3"), "a");
    expect(memory.size("a")).toBe(4);
    memory.add(run("4"), "a");
    expect(texts(memory.getMessages("a"))).toEqual(["3?", "3!", "4?", "4!"]);
  });

  it("returns deeply frozen messages from read", () => {
    const memory = new InMemory();
    memory.add(toolRun("1"), "a");
    for (const message of memory.read("a").messages) expect(isFrozenDeeply(message)).toBe(true);
  });

  it("counts runs and bytes exactly when messages are added, dropped and replaced", () => {
    const kept = (memory: InMemory) => ({
      runs: memory.getMessages("a").filter(({ role }) => role === "user").length,
      bytes: memory
        .getMessages("a")
        .reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0),
    });
    const memory = new InMemory(9);
    memory.add(systemMessage("Sé"), "a");
    for (let index = 0; index < 5; index += 1) {
      const added = memory.add(index % 2 ? toolRun("é\u0000") : run(`${index}`), "a");
      expect(memory.sessions("a")).toMatchObject([kept(memory)]);
      memory.add(run("other"), "a", { replaceRun: added[0]?.runId });
      expect(memory.sessions("a")).toMatchObject([kept(memory)]);
    }
  });

  it("describes the sessions of a large history without a scan", () => {
    const memory = new InMemory();
    const batch = Array.from({ length: 500 }, () => toolRun("x".repeat(200))).flat();
    for (let added = 0; added < 100_000; added += batch.length) memory.add(batch, "a");
    const begun = cpuTime();
    for (let index = 0; index < 100; index += 1) memory.sessions("a");
    expect(cpuTime() - begun).toBeLessThan(50);
  });

  it("refuses a limit that is negative or not a whole number", () => {
    for (const limit of [-1, 1.5, Number.NaN])
      expect(() => new InMemory(limit)).toThrow("maxMessages");
  });
});

it.each([Infinity, 12])(
  "the pages of all sessions hold what each session does, whatever has changed (limit %d)",
  async (maxMessages) => {
    const clock = { now: 1_000 };
    const memory = new InMemory(maxMessages, { now: () => clock.now });
    const kept = () =>
      memory
        .sessions("alice")
        .flatMap(({ sessionId }) => memory.getMessages("alice", { sessionId }))
        .sort((left, right) => left.id - right.id);
    const tell = (sessionId: string) =>
      memory.add([userMessage("q"), assistantMessage("a")], "alice", { sessionId });
    const changes: readonly (() => unknown)[] = [
      () => tell("work"),
      () => memory.add(systemMessage("Be brief."), "alice", { sessionId: "home" }),
      () => tell("home"),
      () => tell("work"),
      () => memory.edits?.fork("alice", { sessionId: "work", to: "copy" }),
      () => memory.edits?.undo("alice", { sessionId: "work" }),
      () => {
        const [, last] = tell("work");
        memory.add(userMessage("again"), "alice", { sessionId: "work", replaceRun: last?.runId });
      },
      () => tell("home"),
      () => {
        clock.now = 2_000;
        tell("home");
        return memory.edits?.clearBefore("alice", { before: 1_500 });
      },
      () => tell("work"),
      () => memory.clear("alice", { sessionId: "home" }),
      () => tell("home"),
      () => memory.clear("alice"),
      () => tell("new"),
    ];
    for (const change of changes) {
      await change();
      expect(memory.getMessages("alice")).toEqual(kept());
      const [first, second] = kept();
      expect(memory.getMessages("alice", { after: first?.id, limit: 1 })).toEqual(
        second === undefined ? [] : [second],
      );
    }
  },
);
