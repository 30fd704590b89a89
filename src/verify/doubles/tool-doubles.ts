import { InMemory } from "../../memory/in-memory.js";
import type { SessionState } from "../../memory/memory.js";
import type { Tool } from "../../tools/tool.js";
import { agentOver } from "../battery.js";
import type { Whose } from "../finding.js";
import type { Double } from "./double.js";

type Execute = Tool["execute"];

const double = (name: string, makeChange: () => (tool: Tool) => Execute): Double => ({
  name,
  open() {
    const memory = new InMemory();
    const change = makeChange();
    return {
      open: ({ toolkits, ...parts }) =>
        agentOver(memory)({
          ...parts,
          toolkits: toolkits.map(({ name, tools }) => ({
            name,
            tools: tools.map((tool) => ({ ...tool, execute: change(tool) })),
          })),
        }),
    };
  },
});

export const TOOL_DOUBLES: readonly Double[] = [
  double("tool results cached by name and arguments", () => {
    const cache = new Map<string, unknown>();
    return (tool) => async (args, context) => {
      const key = tool.name + JSON.stringify(args);
      if (!cache.has(key)) cache.set(key, await tool.execute(args, context));
      return cache.get(key);
    };
  }),
  double("tools that are told the latest user", () => {
    let latest: Whose | undefined;
    return (tool) => (args, context) => {
      const { userId, sessionId } = context;
      const told = latest ?? context;
      latest = { userId, sessionId };
      return tool.execute(args, { ...context, userId: told.userId, sessionId: told.sessionId });
    };
  }),
  double("tools that share one state", () => {
    const state: SessionState = {};
    return (tool) => (args, context) => tool.execute(args, { ...context, state });
  }),
];
