import { AgnoChatError } from "../errors.js";

/** The most tool calls of one reply. A model that asks for thousands would hold up every user of the process. */
const MAX_TOOL_CALLS = 128;

/**
 * @param count Calls so far, the newest included.
 * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when they are too many
 */
export function limitToolCalls(count: number): void {
  if (count <= MAX_TOOL_CALLS) return;
  throw new AgnoChatError(
    "MODEL_BAD_RESPONSE",
    `The model asked for more than ${MAX_TOOL_CALLS} tools in one reply.`,
    { hint: "Try again, or ask for less at once." },
  );
}
