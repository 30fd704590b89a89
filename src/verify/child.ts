/** A second process on the checked store. Runs the calls of the process that started it. */
import { Agent } from "../agent/agent.js";
import type { Memory } from "../memory/memory.js";
import { openMemory } from "../memory/open-memory.js";
import type { Model, ToolSpec } from "../models/model.js";
import type { Tool } from "../tools/tool.js";
import type { Doors } from "./doors/door.js";
import { libraryDoors } from "./doors/library.js";
import { Calls, type Frame } from "./processes/calls.js";
import type { ChildFunctions, ParentFunctions } from "./processes/child-functions.js";

const model: Model = {
  name: "verify",
  async *stream(request) {
    yield* await calls.call("ask", request);
  },
};

let memory: Memory | undefined;
let ways: Doors | undefined;

const functions: ChildFunctions = {
  async open(spec, { instructions, tools }) {
    memory = await openMemory(spec);
    const toolkits = [{ name: "verify", tools: tools.map(toolOf) }];
    ways = libraryDoors(new Agent({ model, memory, instructions, toolkits }), memory);
    const { doors, readers, clearers } = ways;
    return {
      doors: doors.map(({ name }) => name),
      readers: readers.map(({ name, ofUser = false }) => ({ name, ofUser })),
      clearers: clearers.map(({ name }) => name),
    };
  },
  async send(name, message) {
    const door = ways?.doors.find((one) => one.name === name);
    return door?.send(message, new AbortController().signal) ?? "";
  },
  read: async (name, whose) => ways?.readers.find((one) => one.name === name)?.read(whose) ?? {},
  async clear(name, ...whose) {
    await ways?.clearers.find((one) => one.name === name)?.clear(...whose);
  },
  async close() {
    await memory?.close();
  },
};

const calls = new Calls<ParentFunctions>((frame) => process.send?.(frame), functions);
process.on("message", (frame: Frame) => void calls.receive(frame));
// However the other process ends, this one does not outlive it.
process.on("disconnect", () => process.exit());

const toolOf = (spec: ToolSpec): Tool => ({
  ...spec,
  async execute(args, { userId, sessionId, runId, state, update }) {
    const context = { userId, sessionId, runId, state: { ...state } };
    const { result, changes } = await calls.call("callTool", spec.name, args, context);
    for (const [key, value] of Object.entries(changes)) update(key, () => value);
    return result;
  },
});
