import { untilAborted } from "../../abort.js";
import { Agent } from "../../agent/agent.js";
import type { Memory } from "../../memory/memory.js";
import { libraryDoors } from "../doors/library.js";
import { ProcessEnded, type StartProcess } from "../processes/other-process.js";

/**
 * Stands in for starting another process: an agent of its own, which stops at once when it is
 * killed.
 * @param open Opens the memory that a process has; the signal aborts with its end.
 */
export const standIns =
  (open: (end: AbortSignal) => Memory): StartProcess =>
  async (parts) => {
    const end = new AbortController();
    const memory = open(end.signal);
    const { doors, readers, clearers } = libraryDoors(new Agent({ ...parts, memory }), memory);
    return {
      doors: doors.map(({ name, send }) => ({
        name,
        send: (message) => untilAborted(send(message, end.signal), end.signal),
      })),
      readers,
      clearers,
      kill: () => end.abort(new ProcessEnded("Killed.")),
      close: async () => {},
    };
  };
