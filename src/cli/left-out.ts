import { tokenLimitOf } from "../agent/token-window.js";
import { sentCount } from "../agent/window.js";
import type { Memory, SessionInfo } from "../memory/memory.js";

/** How much of a session's history the model is sent at most. */
export interface HistoryLimits {
  readonly historyLimit: number;
  /** `Infinity` means any number. */
  readonly historyTokens: number;
}

interface LimitedSessions extends HistoryLimits {
  readonly userId: string;
  /** Those to look at. */
  readonly sessions: readonly Pick<SessionInfo, "sessionId" | "messages">[];
}

/** How many of the stored messages the limits keep from the model. */
export async function leftOutOf(
  memory: Memory,
  { userId, sessions, ...limits }: LimitedSessions,
): Promise<number> {
  const { historyLimit: limit, historyTokens } = limits;
  let leftOut = 0;
  for (const { sessionId, messages: stored } of sessions) {
    // Never fewer than three quarters of the limit are sent.
    if (historyTokens === Infinity && stored <= limit - Math.floor(limit / 4)) continue;
    const snapshot = await memory.read(userId, { sessionId, limit });
    const { messages: history, total } = snapshot;
    const system = history.filter(({ role }) => role === "system").length;
    const tokenLimit = tokenLimitOf(limits, snapshot);
    leftOut += stored - system - sentCount({ history, total, limit, tokenLimit });
  }
  return leftOut;
}

/** Such as `200 messages and 4000 tokens`. */
export const limitsText = ({ historyLimit, historyTokens }: HistoryLimits): string =>
  historyTokens === Infinity
    ? `${historyLimit} messages`
    : `${historyLimit} messages and ${historyTokens} tokens`;
