/** A second process on the checked store. Runs the calls of the process that started it. */
import { Agent } from "../agent/agent.js";
import type { Memory } from "../memory/memory.js";
import { openMemory } from "../memory/open-memory.js";
import type { Reader } from "./doors/door.js";
import { libraryDoors } from "./doors/library.js";
import { Calls, type Frame } from "./processes/calls.js";
import type { ChildFunctions } from "./processes/child-functions.js";

let memory: Memory | undefined;
let readers: ReadonlyMap<string, Reader> = new Map();

const functions: ChildFunctions = {
  async open(spec) {
    memory = await openMemory(spec);
    const model = { name: "none", stream: () => Promise.reject(new Error("No model.")) as never };
    const doors = libraryDoors(new Agent({ model, memory }), memory);
    readers = new Map(doors.readers.map((reader) => [reader.name, reader]));
    return [...readers.keys()];
  },
  read: async (name, whose) => (readers.get(name) as Reader).read(whose),
  async close() {
    await memory?.close();
  },
};

const calls = new Calls((frame) => process.send?.(frame), functions);
process.on("message", (frame: Frame) => void calls.receive(frame));
// However the other process ends, this one does not outlive it.
process.on("disconnect", () => process.exit());
