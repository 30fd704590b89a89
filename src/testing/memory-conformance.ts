import type { Awaitable, Memory } from "../memory/memory.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { afterClose } from "./memory/after-close.js";
import { clearedHistories } from "./memory/cleared-histories.js";
import { defaultIds } from "./memory/default-ids.js";
import { exactMessages } from "./memory/exact-messages.js";
import { inactiveUsers } from "./memory/inactive-users.js";
import { listsAndClears } from "./memory/lists-and-clears.js";
import { type MemoryChecks, type MemoryFixture, newClock } from "./memory/memory-fixture.js";
import { messagePages } from "./memory/message-pages.js";
import { messageRuns } from "./memory/message-runs.js";
import { runReplacement } from "./memory/run-replacement.js";
import { searches } from "./memory/searches.js";
import { sessionState } from "./memory/session-state.js";
import { stateConflicts } from "./memory/state-conflicts.js";
import { userIsolation } from "./memory/user-isolation.js";
import { wholeAdds } from "./memory/whole-adds.js";
import { declareSuite, RUNNER_KEYS, type SuiteRunner } from "./suite.js";

export interface MemoryConformanceOptions extends SuiteRunner {
  /** The name of the memory, for the title. */
  readonly name: string;
  /**
   * Opens a new, empty memory with this clock, which counts milliseconds since 1970. The suite
   * closes the memory after the test.
   */
  readonly open: (options: { readonly now: () => number }) => Awaitable<Memory>;
}

const KEYS: KnownKeys<MemoryConformanceOptions> = { name: true, open: true, ...RUNNER_KEYS };

/** Every promise of the `Memory` contract, by topic; each topic is one file. */
export const MEMORY_CHECKS: Readonly<Record<string, MemoryChecks>> = {
  "user isolation": userIsolation,
  "default ids": defaultIds,
  "exact messages": exactMessages,
  "message runs": messageRuns,
  "whole adds": wholeAdds,
  "message pages": messagePages,
  search: searches,
  "session state": sessionState,
  "state conflicts": stateConflicts,
  "run replacement": runReplacement,
  "cleared histories": clearedHistories,
  "lists and clears": listsAndClears,
  "inactive users": inactiveUsers,
  "after close": afterClose,
};

/**
 * Tests every promise of the `Memory` contract, isolation first. Call it in a test file of your own
 * memory. For a memory over a store, call `storeConformance`, which includes these tests.
 * @example
 * import { describe, it } from "node:test";
 *
 * const open = ({ now }: { now: () => number }) => new InMemory(Infinity, { now });
 * memoryConformance({ name: "InMemory", open, describe, it });
 * @throws {AgnoChatError} `USAGE` for an unknown option
 * @throws {Error} when `unsupported` names a test that does not exist
 */
export function memoryConformance(options: MemoryConformanceOptions): void {
  refuseUnknownKeys(options, KEYS, "memoryConformance");
  const { name, open, ...runner } = options;
  declareSuite<MemoryFixture>(
    {
      title: `${name} keeps the memory contract`,
      groups: MEMORY_CHECKS,
      open: async () => {
        const clock = newClock();
        return { memory: await open({ now: () => clock.now }), clock };
      },
      close: ({ memory }) => memory.close(),
    },
    runner,
  );
}
