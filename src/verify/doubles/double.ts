import type { BatteryOptions } from "../battery.js";

/** What a battery is given to check. */
export type Opened = Pick<BatteryOptions, "open" | "startProcess" | "openDoors" | "phases">;

/** An agent with one leak planted on purpose: the judge must find it. */
export interface Double {
  /** What is wrong with it. */
  readonly name: string;
  /** A new one; the agents that it builds share a memory. */
  open(): Opened;
}
