import { getEventListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { callTool, toolTable } from "../../src/tools/call-tool.js";
import { defineTool } from "../../src/tools/define-tool.js";
import type { Tool, ToolContext } from "../../src/tools/tool.js";
import { toolContext } from "../support/tool-context.js";
import { wildText } from "../support/wild-text.js";

const contextWith = (signal?: AbortSignal): ToolContext =>
  toolContext(signal === undefined ? {} : { signal });

const toolThat = (execute: Tool["execute"], more: Partial<Tool> = {}): Tool => ({
  name: "it",
  description: "Does it.",
  parameters: { type: "object" },
  execute,
  ...more,
});

/** The result of one tool call, as the model reads it. */
async function call(tool: Tool, args: unknown = {}, context = contextWith()) {
  const text = typeof args === "string" ? args : JSON.stringify(args);
  const toolCall = { id: "call-1", name: tool.name, arguments: text };
  const message = await callTool(toolTable([{ name: "kit", tools: [tool] }]), toolCall, context);
  expect(message).toMatchObject({ role: "tool", toolCallId: "call-1" });
  return { content: message.content, isError: message.isError === true };
}

describe("toolTable", () => {
  it("holds the tools of all toolkits by name", () => {
    const one = toolThat(() => 1, { name: "one" });
    const two = toolThat(() => 2, { name: "two" });
    const table = toolTable([
      { name: "a", tools: [one] },
      { name: "b", tools: [two] },
    ]);
    expect([...table]).toEqual([
      ["one", one],
      ["two", two],
    ]);
  });

  it("refuses two tools of one name, and a tool with a bad name", () => {
    const kit = { name: "kit", tools: [toolThat(() => 1)] };
    expect(() => toolTable([kit, { ...kit, name: "other" }])).toThrow(
      expect.objectContaining({ code: "USAGE", hint: expect.stringContaining("kit, other") }),
    );
    const spaced = { name: "kit", tools: [toolThat(() => 1, { name: "a b" })] };
    expect(() => toolTable([spaced])).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("results", () => {
  it.each([
    ["a string as it is", "a\nb", "a\nb"],
    ["nothing as done", undefined, "done"],
    ["null", null, "null"],
    ["an object as JSON", { a: [1, "x"] }, '{"a":[1,"x"]}'],
    ["a promise's value", Promise.resolve(7), "7"],
  ])("returns %s", async (_, result, content) => {
    expect(await call(toolThat(() => result))).toEqual({ content, isError: false });
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  it.each([
    ["something that contains itself", cycle],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a Map", new Map()],
    ["NaN", Number.NaN],
  ])("reports %s as an error", async (what, result) => {
    const content = `The tool returned something that is not JSON: ${what}.`;
    expect(await call(toolThat(() => result))).toEqual({ content, isError: true });
  });

  it("cuts a huge result, never inside a character, and says so", async () => {
    const { content, isError } = await call(toolThat(() => `x${"🦊".repeat(100_000)}`));
    expect(content.length).toBeLessThan(100_100);
    expect(content).toMatch(/\n\[cut here: 200001 characters in all\]$/);
    expect(content.isWellFormed()).toBe(true);
    expect(isError).toBe(false);
  });

  it("gives the tool its user and session, and the state to change", async () => {
    const context = contextWith();
    const tool = toolThat((_, { userId, sessionId, runId, state }) => {
      state.seen = true;
      return [userId, sessionId, runId];
    });
    expect((await call(tool, {}, context)).content).toBe('["alice","work","run-1"]');
    expect(context.state.seen).toBe(true);
  });
});

describe("arguments", () => {
  const echo = toolThat((args) => args);
  const typed = toolThat((args) => args, {
    parameters: {
      type: "object",
      properties: { n: { type: "integer" }, list: { type: "array", items: { type: "string" } } },
      required: ["n"],
      additionalProperties: false,
    },
  });

  it("default to an empty object", async () => {
    expect((await call(echo, "")).content).toBe("{}");
    expect((await call(echo, " \n")).content).toBe("{}");
  });

  it.each(["{", "{'a':1}", "undefined", '{"a":1}}'])("refuses %j as bad JSON", async (text) => {
    const { content, isError } = await call(echo, text);
    expect(content).toMatch(/^The arguments are not valid JSON: /);
    expect(isError).toBe(true);
  });

  it.each([
    ["a missing one", {}, /required property "n"/],
    ["a wrong type", { n: "1" }, /^The arguments do not fit: n: .*Expected "integer"/],
    ["a wrong type inside", { n: 1, list: ["a", 2] }, /list\/1: .*Expected "string"/],
    ["one too many", { n: 1, m: 2 }, /m: /],
    ["a list", "[]", /Expected "object"/],
    ["null", "null", /Expected "object"/],
  ])("refuses %s by JSON Schema", async (_, args, reason) => {
    const { content, isError } = await call(typed, args);
    expect(content).toMatch(reason);
    expect(isError).toBe(true);
  });

  it("are checked and completed by a zod schema, and every fault is named", async () => {
    const tool = defineTool({
      name: "it",
      description: "Does it.",
      parameters: z.object({ n: z.number().default(3), who: z.object({ name: z.string() }) }),
      execute: ({ n, who }) => `${n} ${who.name}`,
    });
    expect(await call(tool, { who: { name: "Al" } })).toEqual({ content: "3 Al", isError: false });
    const { content, isError } = await call(tool, { n: "x", who: { name: 1 } });
    expect(content).toMatch(/^The arguments do not fit: n: .*; who\.name: /);
    expect(isError).toBe(true);
  });

  it("cannot reach a prototype", async () => {
    const merge = toolThat((args) => {
      const copy = Object.assign({}, args) as Record<string, unknown>;
      return [copy.polluted ?? "clean", ({} as Record<string, unknown>).polluted ?? "clean"];
    });
    const text = '{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}';
    expect((await call(merge, text)).content).toBe('["clean","clean"]');
    expect((await call(echo, text)).content).toBe('{"a":{}}');
  });

  it("may be any text: the model always gets an answer", async () => {
    const text = fc.oneof(wildText(50), fc.json({ maxDepth: 4 }));
    await fc.assert(
      fc.asyncProperty(text, async (args) => {
        const { content, isError } = await call(typed, args);
        expect(isError || JSON.parse(content).n !== undefined).toBe(true);
      }),
    );
    expect((await call(echo, `${"[".repeat(200_000)}`)).isError).toBe(true);
    expect((await call(echo, `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`)).isError).toBe(
      true,
    );
  });
});

describe("faults", () => {
  it("lists the available tools for an unknown one", async () => {
    const table = toolTable([{ name: "kit", tools: [toolThat(() => 1)] }]);
    const unknown = { id: "9", name: "toString", arguments: "{}" };
    expect(await callTool(table, unknown, contextWith())).toEqual({
      role: "tool",
      toolCallId: "9",
      content: 'There is no tool named "toString". Available tools: it.',
      isError: true,
    });
  });

  it.each([
    ["an error", new Error("disk\nis\u001b[31m full"), "disk is full"],
    ["a string", "plain", "plain"],
    ["an empty error", new Error(""), "The tool failed."],
    ["what cannot be told", Object.create(null), "The tool failed."],
  ])("passes on %s as one line, without a stack", async (_, thrown, content) => {
    const throws = toolThat(() => {
      throw thrown;
    });
    expect(await call(throws)).toEqual({ content, isError: true });
    expect(await call(toolThat(() => Promise.reject(thrown)))).toEqual({ content, isError: true });
  });

  it("cuts a long message", async () => {
    const { content } = await call(toolThat(() => Promise.reject(new Error("x".repeat(9_999)))));
    expect(content).toHaveLength(500);
  });

  it("times out, aborts the tool's signal, and ignores a late result", async () => {
    let signal: AbortSignal | undefined;
    const deaf = toolThat(
      (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      { timeoutMs: 20 },
    );
    expect(await call(deaf)).toEqual({
      content: "it did not answer within 0.02 s.",
      isError: true,
    });
    expect(signal?.aborted).toBe(true);
  });
});

describe("a cancelled run", () => {
  it("rejects at once with its reason, even if the tool ignores the signal", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled");
    let seen: AbortSignal | undefined;
    const deaf = toolThat((_, { signal }) => {
      seen = signal;
      queueMicrotask(() => controller.abort(reason));
      return new Promise(() => {});
    });
    const outcome = call(deaf, {}, contextWith(controller.signal));
    await expect(Promise.race([outcome, nextTurn()])).rejects.toBe(reason);
    expect(seen?.reason).toBe(reason);
  });

  it("calls nothing when it is already cancelled", async () => {
    let called = false;
    const tool = toolThat(() => {
      called = true;
    });
    const reason = new Error("cancelled");
    await expect(call(tool, {}, contextWith(AbortSignal.abort(reason)))).rejects.toBe(reason);
    expect(called).toBe(false);
  });

  it("leaves no listener on the run's signal", async () => {
    const { signal } = new AbortController();
    await call(
      toolThat(() => 1),
      {},
      contextWith(signal),
    );
    await call(
      toolThat(() => Promise.reject(new Error("no"))),
      {},
      contextWith(signal),
    );
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});
