import { expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { countsOf } from "../../src/memory/counts.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { StoreMemory } from "../../src/memory/store-memory.js";
import { InMemoryStore } from "../../src/memory/stores/in-memory/in-memory-store.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { DemoModel } from "../../src/models/demo.js";

/** A store of users with few sessions: lists all of them, whatever the limit, and counts none. */
function listingAll(): StoreMemory {
  const store = new InMemoryStore(Infinity);
  const sessions = store.sessions.bind(store);
  Object.assign(store, { counts: undefined, sessions: (userId: never) => sessions(userId) });
  return new StoreMemory(store);
}

/** A memory of a program, written before there were counts. */
function withoutCounts(): Memory {
  const memory = new InMemory();
  const sessions = memory.sessions.bind(memory);
  return Object.assign(memory, {
    counts: undefined,
    sessions: (userId?: string) => sessions(userId),
  });
}

async function filled(memory: Memory): Promise<Memory> {
  await memory.add([userMessage("q"), assistantMessage("a")], "alice");
  await memory.add(userMessage("q"), "alice", { sessionId: "work" });
  await memory.add(userMessage("of bob"), "bob");
  return memory;
}

test.each([
  ["a store that lists all sessions at once", listingAll],
  ["a memory that does", withoutCounts],
])("%s has the same counts, of all sessions and of one", async (_, open) => {
  const [one, other] = [await filled(open()), await filled(new InMemory())];
  for (const sessionId of [undefined, "work", "nothing"]) {
    const { lastActivity: _, ...counts } = await countsOf(one, "alice", { sessionId });
    expect(await countsOf(other, "alice", { sessionId })).toMatchObject(counts);
  }
  const sessions = await one.sessions("alice");
  const latest = sessions.map(({ lastActivity }) => lastActivity).sort();
  expect((await countsOf(one, "alice")).lastActivity).toBe(latest.at(-1));
  const agent = new Agent({ model: new DemoModel(), memory: one });
  expect(await agent.forUser("alice").counts()).toEqual(await countsOf(one, "alice"));
});

test("a list of sessions is as long as was asked for, also from a store that lists all", async () => {
  const memory = await filled(listingAll());
  expect(await memory.sessions("alice", { limit: 1 })).toHaveLength(1);
  expect(await memory.sessions("alice", { limit: 5 })).toHaveLength(2);
});

test("a limit of sessions is a whole number", () => {
  expect(() => new InMemory().sessions("alice", { limit: 1.5 })).toThrow("limit 1.5");
});
