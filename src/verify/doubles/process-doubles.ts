import { setImmediate as turn } from "node:timers/promises";
import { InMemory } from "../../memory/in-memory.js";
import type { Memory } from "../../memory/memory.js";
import { checkKilled, checkTogether } from "../processes/process-check.js";
import type { ProcessDouble } from "./double.js";
import { changed, type Wrapped } from "./memory-doubles.js";
import { standIns } from "./stand-in.js";

type Methods = (parts: { readonly memory: InMemory; readonly end: AbortSignal }) => Wrapped;

/** A memory that each process wraps in its own way. */
const double =
  (check: ProcessDouble["check"]) =>
  (name: string, methods: Methods): ProcessDouble => ({
    name,
    check,
    startProcess() {
      const memory = new InMemory();
      return standIns((end): Memory => changed(memory, methods({ memory, end })));
    },
  });

const whenKilled = double(checkKilled);
const whenTogether = double(checkTogether);

/** Stores a run in two steps, between which others get their turn. */
const inTwoSteps: Methods = ({ end }) => ({
  async add(call, messages, userId, options) {
    const all = Array.isArray(messages) ? messages : [messages];
    const first = call(all.slice(0, 1), userId, options);
    await turn();
    end.throwIfAborted();
    return [...first, ...call(all.slice(1), userId, options)];
  },
});

export const PROCESS_DOUBLES: readonly ProcessDouble[] = [
  whenKilled("a killed process that leaves half a run", inTwoSteps),
  {
    name: "a killed process that had stored nothing of what it answered",
    check: checkKilled,
    startProcess: () => standIns(() => new InMemory()),
  },
  whenTogether("processes whose runs get in between each other's messages", inTwoSteps),
  whenTogether("processes whose runs outlive a clear by another", () => ({
    add: (call, messages, userId, { generation: _, ...options } = {}) =>
      call(messages, userId, options),
  })),
  whenTogether("processes that do not see what the others store", () => {
    const read = new Map<string, Awaited<ReturnType<InMemory["read"]>>>();
    return {
      read(call, userId, options) {
        const key = JSON.stringify([userId, options?.sessionId]);
        const snapshot = read.get(key) ?? call(userId, options);
        read.set(key, snapshot);
        return snapshot;
      },
    };
  }),
  whenTogether("processes that each write back the history they began with", ({ memory }) => ({
    async add(call, messages, userId, options) {
      const before = memory.getMessages(userId);
      await turn();
      memory.clear(userId);
      return [
        ...call(before, userId),
        ...call(messages, userId, { sessionId: options?.sessionId }),
      ];
    },
  })),
];
