import type { AgentParts, AgentUnderCheck } from "../battery.js";

/** An agent with one leak planted on purpose: the judge must find it. */
export interface Double {
  /** What is wrong with it. */
  readonly name: string;
  /** Called once per agent; the agents of one double share a memory. */
  open(): (parts: AgentParts) => AgentUnderCheck;
}
