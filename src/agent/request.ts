import type { Snapshot } from "../memory/memory.js";
import type { Message } from "../messages.js";
import type { ModelRequest } from "../models/model.js";
import type { RunParts } from "./run.js";
import { windowOf } from "./window.js";

interface Extent {
  readonly current: readonly Message[];
  readonly limit: number;
  /** See `WindowInput.most`. */
  readonly most: number;
}

/** What a model is sent for a session that stands at `snapshot`, while `current` is under way. */
export function requestOf(
  { instructions, toolSpecs }: RunParts,
  { messages: history, total }: Snapshot,
  { current, limit, most }: Extent,
): ModelRequest {
  const messages = windowOf({ instructions, history, total, limit, most, current });
  return toolSpecs === undefined ? { messages } : { messages, tools: toolSpecs };
}
