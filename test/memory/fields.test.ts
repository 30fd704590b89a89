import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { JsonValue, Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import type { NewMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

/** Any UTF-16 text, often with parts that stores easily get wrong. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom("\0", '"', "'", "\\", "\\u0000", "\ud800", "\udfff", "e\u0301", "\n", "{}"),
      fc.string({ unit: "binary" }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));

const runId = text
  .map((value) => value.toWellFormed().slice(0, 200).toWellFormed())
  .filter((value) => value !== "");

const createdAt = fc
  .date({ min: new Date(0), max: new Date(Date.UTC(9999, 0)), noInvalidDate: true })
  .map((date) => date.toISOString());

const count = fc.nat();

const usage = fc.oneof(
  fc.record({ inputTokens: count, outputTokens: count }),
  fc.record({ inputTokens: count, outputTokens: count, estimated: fc.boolean() }),
);

const storedFields = { runId, createdAt };

const message: fc.Arbitrary<NewMessage> = fc.oneof(
  fc.record({
    role: fc.constantFrom("user" as const, "system" as const),
    content: text,
    ...storedFields,
  }),
  fc.record(
    {
      role: fc.constant("assistant" as const),
      content: text,
      ...storedFields,
      toolCalls: fc.array(fc.record({ id: text, name: text, arguments: text }), { minLength: 1 }),
      interrupted: fc.boolean(),
      finishReason: fc.constant("length" as const),
      model: text,
      usage,
    },
    { requiredKeys: ["role", "content", "runId", "createdAt"] },
  ),
  fc.record(
    {
      role: fc.constant("tool" as const),
      content: text,
      ...storedFields,
      toolCallId: text,
      isError: fc.boolean(),
    },
    { requiredKeys: ["role", "content", "runId", "createdAt", "toolCallId"] },
  ),
);

const state = fc.array(fc.tuple(text, fc.jsonValue({ stringUnit: "binary" })), { maxLength: 5 });

/** A null-prototype object, so that `__proto__` is a plain key; JSON turns -0 into 0. */
function stateOf(entries: readonly (readonly [string, unknown])[]): Record<string, JsonValue> {
  const values: Record<string, JsonValue> = Object.create(null);
  for (const [key, value] of entries) values[key] = JSON.parse(JSON.stringify(value)) as JsonValue;
  return values;
}

async function expectExact(memory: Memory, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 5 }), state, async (messages, entries) => {
      await memory.clear("a");
      const values = stateOf(entries);
      const stored = await memory.add(messages, "a", { state: values });
      const snapshot = await memory.read("a");
      expect(await memory.getMessages("a")).toEqual(stored);
      expect(snapshot.messages).toEqual(stored);
      expect(stored.map(({ id: _, sessionId: __, ...given }) => given)).toEqual(messages);
      expect(Object.entries(snapshot.state).sort()).toEqual(Object.entries(values).sort());
      expect(await memory.add([], "a", { expected: snapshot.state })).toEqual([]);
    }),
    { numRuns, seed: 5 },
  );
}

describe("every message field and state value", () => {
  it("is returned exactly by InMemory", () => expectExact(new InMemory(), 500));

  it("is returned exactly by SqliteMemory", async () => {
    const memory = new SqliteMemory(temporaryFile());
    await expectExact(memory, 100);
    await memory.close();
  });
});
