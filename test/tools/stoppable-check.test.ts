import { setMaxListeners } from "node:events";
import { setInterval as every } from "node:timers/promises";
import { expect, it, test } from "vitest";
import { z } from "zod";
import { callTool, toolTable } from "../../src/tools/call-tool.js";
import { defineTool } from "../../src/tools/define-tool.js";
import type { Tool } from "../../src/tools/tool.js";
import { toolContext } from "../support/tool-context.js";

/** Takes exponential time on `SLOW_TEXT`. */
const SLOW_PATTERN = "^(a+)+$";
const SLOW_TEXT = `${"a".repeat(60)}b`;

const description = "Returns done.";
const execute = () => "done";

function toolOf(property: object): Tool {
  const parameters = { type: "object", properties: { text: property } };
  return defineTool({ name: "it", description, parameters, execute });
}

const TOOLS: readonly (readonly [what: string, tool: Tool])[] = [
  ["a pattern", toolOf({ type: "string", pattern: SLOW_PATTERN })],
  [
    "a pattern deep inside",
    toolOf({ anyOf: [{ type: "number" }, { not: { pattern: SLOW_PATTERN } }] }),
  ],
  [
    "the pattern of a zod schema",
    defineTool({
      name: "it",
      description,
      parameters: z.object({ text: z.string().regex(new RegExp(SLOW_PATTERN)) }),
      execute,
    }),
  ],
];

function call(tool: Tool, text: string, signal = new AbortController().signal) {
  const toolCall = { id: "1", name: tool.name, arguments: JSON.stringify({ text }) };
  return callTool(toolTable([{ name: "kit", tools: [tool] }]), toolCall, toolContext({ signal }));
}

it.each(TOOLS)(
  "stops %s that backtracks catastrophically, and tells the model",
  async (_, tool) => {
    expect(await call(tool, SLOW_TEXT)).toMatchObject({
      isError: true,
      content: "The arguments do not fit: it took longer than 250 ms and was stopped",
    });
  },
);

it("stops a slow pattern for property names", async () => {
  const parameters = { type: "object", patternProperties: { [SLOW_PATTERN]: {} } };
  const tool = defineTool({ name: "it", description, parameters, execute });
  const toolCall = { id: "1", name: "it", arguments: JSON.stringify({ [SLOW_TEXT]: 1 }) };
  const { isError } = await callTool(
    toolTable([{ name: "kit", tools: [tool] }]),
    toolCall,
    toolContext(),
  );
  expect(isError).toBe(true);
});

it("matches a harmless pattern", async () => {
  const tool = toolOf({ type: "string", pattern: "^a+$" });
  expect(await call(tool, "aaa")).toMatchObject({ content: "done" });
  expect(await call(tool, "abc")).toMatchObject({ isError: true });
  expect(await call(toolOf({ type: "string", format: "date" }), "never")).toMatchObject({
    isError: true,
  });
});

test("other users wait for at most one stopped check, however many there are", async () => {
  const { signal } = new AbortController();
  const [, tool] = TOOLS[0] as (typeof TOOLS)[number];
  const done = Promise.all(Array.from({ length: 6 }, () => call(tool, SLOW_TEXT, signal)));
  const waits: number[] = [];
  let last = performance.now();
  let isOver = false;
  void done.then(() => {
    isOver = true;
  });
  for await (const _ of every(5)) {
    waits.push(performance.now() - last);
    last = performance.now();
    if (isOver) break;
  }
  // Two checks in one wait would make fewer. How long one takes depends on the machine as well.
  expect(waits.filter((wait) => wait > 200).length).toBeGreaterThanOrEqual(6);
});

test("an abort between two checks ends the rest", async () => {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const [, tool] = TOOLS[0] as (typeof TOOLS)[number];
  const calls = Array.from({ length: 20 }, () => call(tool, SLOW_TEXT, controller.signal));
  setTimeout(() => controller.abort(new Error("stop")), 50);
  const ends = await Promise.allSettled(calls);
  // One check may be under way when it aborts, and another may have ended before.
  expect(ends.filter(({ status }) => status === "rejected").length).toBeGreaterThanOrEqual(18);
});
