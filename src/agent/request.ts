import type { Snapshot } from "../memory/memory.js";
import type { Message } from "../messages.js";
import type { ModelRequest, ToolSpec } from "../models/model.js";
import { windowOf } from "./window.js";

/** What an agent says to a model whoever asks. */
interface Sender {
  readonly instructions: string | undefined;
  readonly toolSpecs: readonly ToolSpec[] | undefined;
}

interface Extent {
  readonly current: readonly Message[];
  readonly limit: number;
  /** See `WindowInput.most`. */
  readonly most: number;
}

/** What a model is sent for a session that stands at `snapshot`, while `current` is under way. */
export function requestOf(
  { instructions, toolSpecs }: Sender,
  { messages: history, total }: Snapshot,
  { current, limit, most }: Extent,
): ModelRequest {
  const messages = windowOf({ instructions, history, total, limit, most, current });
  return toolSpecs === undefined ? { messages } : { messages, tools: toolSpecs };
}
