import { withContents } from "../data/attached-text.js";
import type { Snapshot } from "../memory/memory.js";
import type { Contents, Message } from "../messages.js";
import type { ModelRequest, ToolSpec } from "../models/model.js";
import { windowOf } from "./window.js";

/** What an agent sends with every request, for any user. */
interface RequestDefaults {
  readonly instructions: string | undefined;
  readonly toolSpecs: readonly ToolSpec[] | undefined;
}

interface RequestMessages {
  readonly current: readonly Message[];
  readonly limit: number;
  /** See `HistoryExtent.tokenLimit`. */
  readonly tokenLimit: number;
  /** See `HistoryExtent.modelLimit`. */
  readonly modelLimit: number;
  /** Undefined if no message names an attachment. */
  readonly contents: Contents | undefined;
}

/** The request to the model for a session as it was read, plus the current run. */
export function requestOf(
  { instructions, toolSpecs }: RequestDefaults,
  { messages: history, total }: Snapshot,
  { current, limit, tokenLimit, modelLimit, contents }: RequestMessages,
): ModelRequest {
  const messages = windowOf({
    instructions,
    history,
    total,
    limit,
    tokenLimit,
    modelLimit,
    current,
  });
  if (contents === undefined)
    return toolSpecs === undefined ? { messages } : { messages, tools: toolSpecs };
  const sent = withContents(messages, contents);
  return toolSpecs === undefined ? sent : { ...sent, tools: toolSpecs };
}
