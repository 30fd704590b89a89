import type { Snapshot } from "../memory/memory.js";
import { type Contents, plainMessage } from "../messages.js";
import { estimateMessage, estimateTokens } from "../models/estimate-usage.js";
import type { ModelRequest } from "../models/model.js";
import { requestOf } from "./request.js";
import type { RunParts } from "./run.js";
import { tokenLimitOf, tokensOf } from "./token-window.js";
import { modelLimitFor, sentCount } from "./window.js";

/** The request that the next message would produce, and what it is sent without. */
export interface NextRequest extends ModelRequest {
  /** About how many tokens it has, as the provider counted them where it told. */
  readonly tokens: number;
  /** How many of them are history, which `historyTokens` limits. */
  readonly historyTokens: number;
  /** The messages of the history that are stored and not sent, by what leaves them out. */
  readonly leftOut: LeftOut;
}

/** Messages, oldest first: those of `historyLimit` are older than those of `historyTokens`. */
export interface LeftOut {
  readonly historyLimit: number;
  readonly historyTokens: number;
  /** Too long for the model when it was last asked. */
  readonly model: number;
}

type Parts = Pick<
  RunParts,
  "model" | "instructions" | "toolSpecs" | "historyLimit" | "historyTokens"
>;

interface SessionRead {
  readonly snapshot: Snapshot;
  /** Of the attachments that its messages name; undefined if they name none. */
  readonly contents: Contents | undefined;
  /** How many messages of the session are stored, whether read or not. */
  readonly stored: number;
}

export function nextRequest(
  parts: Parts,
  { snapshot, contents, stored }: SessionRead,
): NextRequest {
  const { messages: history, total } = snapshot;
  const { instructions, toolSpecs, historyLimit: limit } = parts;
  const tokenLimit = tokenLimitOf(parts, snapshot);
  const modelLimit = modelLimitFor(parts.model.name, history);
  const limits = { limit, tokenLimit, modelLimit };
  const input = { instructions, toolSpecs, history, total, current: [], ...limits, contents };
  const request = requestOf(input);
  const conversation = history.filter(({ role }) => role !== "system");
  const kept = [
    stored - (history.length - conversation.length),
    sentCount({ history, total, limit }),
    sentCount({ history, total, limit, tokenLimit }),
    sentCount({ history, total, ...limits }),
  ] as const;
  const historyTokens = tokensOf(conversation.slice(conversation.length - kept[3]));
  const system = request.messages.filter(({ role }) => role === "system");
  const tools = request.tools === undefined ? "" : JSON.stringify(request.tools);
  const rest = [...system.map(estimateMessage), estimateTokens(tools)];
  return {
    ...request,
    messages: request.messages.map(plainMessage),
    tokens: Math.ceil(rest.reduce((sum, each) => sum + each, historyTokens)),
    historyTokens: Math.ceil(historyTokens),
    leftOut: {
      historyLimit: kept[0] - kept[1],
      historyTokens: kept[1] - kept[2],
      model: kept[2] - kept[3],
    },
  };
}
