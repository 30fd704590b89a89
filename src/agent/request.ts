import { withContents } from "../data/attached-text.js";
import type { Contents } from "../messages.js";
import type { ModelRequest, ToolSpec } from "../models/model.js";
import { type WindowInput, windowOf } from "./window.js";

interface RequestInput extends WindowInput {
  readonly toolSpecs: readonly ToolSpec[] | undefined;
  /** Undefined if no message names an attachment. */
  readonly contents: Contents | undefined;
}

/** The request to the model for a session as it was read, plus the current run. */
export function requestOf(input: RequestInput): ModelRequest {
  const { toolSpecs, contents } = input;
  const messages = windowOf(input);
  if (contents === undefined)
    return toolSpecs === undefined ? { messages } : { messages, tools: toolSpecs };
  const sent = withContents(messages, contents);
  return toolSpecs === undefined ? sent : { ...sent, tools: toolSpecs };
}
