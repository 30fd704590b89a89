import { expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory, Snapshot } from "../../src/memory/memory.js";
import { userMessage } from "../../src/messages.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";

/** A memory by another author, which returns the wrong messages. */
function foreignMemory(answer: (memory: InMemory) => Snapshot): Memory {
  class Foreign extends InMemory {
    override read(): Snapshot {
      return answer(memory);
    }
  }
  const memory = new InMemory();
  for (const user of ["alice", "bob"]) {
    memory.add(userMessage(`secret of ${user}`), user);
    memory.add(userMessage(`work of ${user}`), user, { sessionId: "work" });
  }
  return new Foreign();
}

it.each<[string, (memory: InMemory) => Snapshot]>([
  ["another session", (memory) => memory.read("alice", { sessionId: "work" })],
  [
    "two users at once",
    (memory) => {
      const [mine, theirs] = [memory.read("alice"), memory.read("bob")];
      return { ...mine, messages: [...mine.messages, ...theirs.messages] };
    },
  ],
])(
  "a memory that returns messages of %s is noticed before the model is called",
  async (_, answer) => {
    const model = new ScriptedModel(() => "Hello");
    const agent = new Agent({ model, memory: foreignMemory(answer) });
    for (const work of [agent.run("Hi", { userId: "alice" }), agent.context({ userId: "alice" })]) {
      const failure = await work.catch((thrown) => thrown);
      expect(failure).toMatchObject({ code: "STORE_FAILED", hint: expect.any(String) });
      expect(failure.message).not.toMatch(/secret|bob|work/);
    }
    expect(model.requests).toEqual([]);
  },
);
