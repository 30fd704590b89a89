import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { halvedCount, modelLimitFor, sentCount, windowOf } from "../../src/agent/window.js";
import { AgnoChatError } from "../../src/errors.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { assistantMessage, type Message, userMessage } from "../../src/messages.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import {
  collect,
  contents,
  dump,
  failsWith,
  MEMORIES,
  SOMEONE,
  toolkitOf,
  toolOf,
  userTexts,
} from "./support.js";

const tooLong = new AgnoChatError("CONTEXT_TOO_LONG", "Too long, says the provider.");

const lengthOf = (messages: readonly Message[]): number => contents(messages).join("").length;

/** A model whose context has room for so many characters. */
const roomFor = (characters: number, name = "small") =>
  new ScriptedModel(({ messages }) => (lengthOf(messages) > characters ? tooLong : "ok"), { name });

const chat = (lengths: readonly number[]): Message[] =>
  lengths.flatMap((length, index) => [
    userMessage(`${index} `.padEnd(length, "x")),
    assistantMessage("ok"),
  ]);

const sizesSent = (model: ScriptedModel) => model.requests.map(({ messages }) => messages.length);

describe.each(MEMORIES)("with $name, a session far too long for the model", ({ open }) => {
  it("is answered with the latest runs that fit", async () => {
    const memory = open();
    await memory.add(chat(Array(64).fill(100)));
    const model = roomFor(1_000);
    await new Agent({ model, memory }).run("now", SOMEONE);
    const sent = model.requests.at(-1)?.messages ?? [];
    expect(lengthOf(sent)).toBeGreaterThan(300);
    expect(userTexts(sent).at(-1)).toBe("now");
    expect(sizesSent(model)).toEqual([129, 65, 33, 17]);
    expect(await memory.size()).toBe(130);
  });

  it("reports how much of it is sent each time it is shortened", async () => {
    const memory = open();
    await memory.add(chat(Array(64).fill(100)));
    const agent = new Agent({ model: roomFor(1_000), memory });
    const { events } = await collect(agent.stream("now", SOMEONE));
    const sent = events.flatMap((event) =>
      event.type === "history-shortened" ? [event.messages] : [],
    );
    expect(sent).toEqual([64, 32, 16]);
  });

  it("begins at the same message next time, also in a new process", async () => {
    const memory = open();
    await memory.add(chat(Array(64).fill(100)));
    await new Agent({ model: roomFor(1_000), memory }).run("first", SOMEONE);
    for (const input of ["second", "third"]) {
      const model = roomFor(1_000);
      const context = await new Agent({ model, memory }).context(SOMEONE);
      await new Agent({ model, memory }).run(input, SOMEONE);
      expect(model.requests).toHaveLength(1);
      const sent = model.requests[0]?.messages ?? [];
      expect(sent.slice(0, -1)).toMatchObject(context.messages);
    }
    const [first, second] = (await memory.getMessages())
      .filter((message) => message.role === "assistant")
      .slice(-2)
      .map(({ historySent }) => historySent);
    expect(second).toBe(Number(first) + 2);
  });

  it("is shortened again once it has become too long again", async () => {
    const memory = open();
    await memory.add(chat(Array(64).fill(100)));
    const trips: number[] = [];
    for (let run = 0; run < 40; run++) {
      const model = roomFor(1_000);
      await new Agent({ model, memory }).run(`${run} `.padEnd(100, "y"), SOMEONE);
      trips.push(model.requests.length);
    }
    expect(trips[0]).toBeGreaterThan(3);
    expect(Math.max(...trips.slice(1))).toBe(2);
    expect(trips.slice(1).filter((count) => count > 1).length).toBeLessThan(12);
  });

  it("is sent whole to another model with a larger context", async () => {
    const memory = open();
    await memory.add(chat(Array(64).fill(100)));
    await new Agent({ model: roomFor(1_000), memory }).run("small", SOMEONE);
    const large = roomFor(100_000, "large");
    await new Agent({ model: large, memory }).run("large", SOMEONE);
    expect(sizesSent(large)).toEqual([131]);
    const small = roomFor(1_000);
    await new Agent({ model: small, memory }).run("small", SOMEONE);
    expect(sizesSent(small)[0]).toBeLessThan(24);
  });

  it("is answered even if it consists of a few huge messages, or one", async () => {
    for (const lengths of [[10, 5_000, 10], [5_000], [9_000, 9_000, 9_000, 20]]) {
      const memory = new InMemory();
      memory.add(chat(lengths));
      const model = roomFor(1_000);
      const agent = new Agent({ model, memory });
      await agent.run("now", SOMEONE);
      const kept = lengths.slice(lengths.findLastIndex((length) => length > 1_000) + 1);
      expect(userTexts(model.requests.at(-1)?.messages ?? [])).toHaveLength(kept.length + 1);
    }
  });

  it("never loses part of the current run", async () => {
    const memory = open();
    await memory.add(chat([100, 100, 100, 100]));
    const look = toolOf("look", () => "z".repeat(700));
    const model = new ScriptedModel(({ messages }) => {
      if (lengthOf(messages) > 1_000) return tooLong;
      return messages.at(-1)?.role === "tool" ? "seen" : { toolCalls: [{ name: "look" }] };
    });
    await new Agent({ model, memory, toolkits: [toolkitOf(look)] }).run("Look", SOMEONE);
    const sent = model.requests.at(-1)?.messages ?? [];
    expect(sent.slice(-3).map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(sent.length).toBeGreaterThan(3);
  });

  it("begins at the same message even if the last reply was interrupted", async () => {
    const memory = open();
    await memory.add(chat(Array(64).fill(100)));
    const controller = new AbortController();
    const small = roomFor(1_000);
    const model: ScriptedModel = Object.assign(Object.create(small), {
      name: "small",
      async *stream(request: never, options: never) {
        for await (const event of ScriptedModel.prototype.stream.call(small, request, options)) {
          yield event;
          controller.abort();
          await new Promise(() => {});
        }
      },
    });
    const { signal } = controller;
    await collect(new Agent({ model, memory }).stream("now", { ...SOMEONE, signal }));
    expect((await memory.getMessages()).at(-1)).toMatchObject({ interrupted: true });
    const next = roomFor(1_000);
    await new Agent({ model: next, memory }).run("next", SOMEONE);
    expect(next.requests).toHaveLength(1);
  });
});

describe("a message that is too long even alone", () => {
  it("fails with a hint once every shorter history was tried, and nothing is stored", async () => {
    const memory = new InMemory();
    memory.add(chat(Array(8).fill(100)));
    const before = await dump(memory);
    const model = roomFor(50);
    const agent = new Agent({ model, memory });
    await expect(agent.run("x".repeat(99), SOMEONE)).rejects.toMatchObject({
      code: "CONTEXT_TOO_LONG",
      message: "The message is too long for small, even without any history.",
      hint: expect.stringMatching(/^Send less at once/),
      cause: tooLong,
      stored: false,
    });
    expect(sizesSent(model)).toEqual([17, 9, 5, 3, 1]);
    expect(await dump(memory)).toBe(before);
    await agent.run("short", SOMEONE);
  });

  it("is sent only once if there is no history but system messages", async () => {
    const memory = new InMemory();
    memory.add(Array(9).fill({ role: "system", content: "Be kind." }));
    const model = new ScriptedModel(() => tooLong);
    await failsWith(new Agent({ model, memory }).run("now", SOMEONE), "CONTEXT_TOO_LONG");
    expect(model.requests).toHaveLength(1);
  });

  it("is not sent again after text or a tool call", async () => {
    for (const shown of [{ text: "Half" }, { toolCalls: [{ name: "look" }] }]) {
      const model = new ScriptedModel(["fine", { ...shown, error: tooLong }]);
      const agent = new Agent({ model });
      await agent.run("first", SOMEONE);
      await failsWith(agent.run("second", SOMEONE), "CONTEXT_TOO_LONG");
      model.assertDone();
    }
  });
});

describe("the beginning of a shortened history", () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 3_000 }), { minLength: 1, maxLength: 20 });

  it("halves the text that is sent, down to none", () => {
    fc.assert(
      fc.property(lengths, (lengths) => {
        const history = chat(lengths);
        let sent = history.length;
        while (sent > 0) {
          const fewer = halvedCount(history, sent);
          expect(fewer).toBeLessThan(sent);
          const text = (count: number) => lengthOf(history.slice(history.length - count));
          expect(text(fewer)).toBeLessThanOrEqual(text(sent) / 2 + 16 * sent);
          sent = fewer;
        }
      }),
    );
  });

  it("stays the same from run to run until the history limit moves past it", async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 30 }), async (lengths, limit) => {
        const memory: Memory = new InMemory();
        await memory.add(chat(lengths));
        for (let run = 0; run < 6; run++) {
          const { messages: history, total } = await memory.read();
          const modelLimit = modelLimitFor("small", history);
          const extent = { history, total, limit, modelLimit };
          const begin = history[history.length - sentCount(extent)]?.id;
          const model = roomFor(4_000);
          await new Agent({ model, memory, historyLimit: limit }).run("y", SOMEONE);
          if (model.requests.length > 1 || begin === undefined) continue;
          const sent = windowOf({ ...extent, current: [userMessage("y")] });
          expect(model.requests[0]?.messages).toMatchObject(sent as never);
          const next = await memory.read();
          const nextLimit = modelLimitFor("small", next.messages);
          if (nextLimit === Infinity) continue;
          const later = { ...next, history: next.messages, limit: Infinity, modelLimit: nextLimit };
          expect(next.messages[next.messages.length - sentCount(later)]?.id).toBe(begin);
        }
      }),
      { numRuns: 60 },
    );
  });
});
