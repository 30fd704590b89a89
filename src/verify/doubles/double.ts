import type { BatteryOptions, BatteryResult } from "../battery.js";
import type { StartProcess } from "../processes/other-process.js";
import type { ProcessCheckOptions } from "../processes/process-check.js";

/** What a battery is given to check. */
export type Opened = Pick<BatteryOptions, "open" | "openDoors" | "phases">;

/** An agent with one leak planted on purpose: the judge must find it. */
export interface Double {
  /** What is wrong with it. */
  readonly name: string;
  /** Whether its leak is that users block each other. Otherwise `blocked` does not count. */
  readonly blocks?: boolean;
  /** Opens a new one; the agents that it builds share a memory. */
  open(): Opened;
}

/** Processes on a memory with one fault: the check must find it. */
export interface ProcessDouble {
  readonly name: string;
  check(options: ProcessCheckOptions): Promise<BatteryResult>;
  /** Starts processes that share a new memory. */
  startProcess(): StartProcess;
}
