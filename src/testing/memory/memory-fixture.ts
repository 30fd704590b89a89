import type { Memory } from "../../memory/memory.js";
import type { Checks } from "../suite.js";

/** What a test of a memory works on. */
export interface MemoryFixture {
  readonly memory: Memory;
  /** The memory's clock, in milliseconds since 1970. A test may set it. */
  readonly clock: { now: number };
}

export type MemoryChecks = Checks<MemoryFixture>;

export const newClock = (): MemoryFixture["clock"] => ({ now: Date.UTC(2026, 0, 1) });
