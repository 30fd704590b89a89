import { sentCount } from "../agent/window.js";
import type { Memory, SessionInfo } from "../memory/memory.js";

interface LimitedSessions {
  readonly userId: string;
  /** Those to look at. */
  readonly sessions: readonly SessionInfo[];
  readonly historyLimit: number;
}

/** How many of the stored messages the history limit keeps from the model. */
export async function leftOutOf(
  memory: Memory,
  { userId, sessions, historyLimit: limit }: LimitedSessions,
): Promise<number> {
  let leftOut = 0;
  for (const { sessionId, messages: stored } of sessions) {
    // Never fewer than three quarters of the limit are sent.
    if (stored <= limit - Math.floor(limit / 4)) continue;
    const { messages: history, total } = await memory.read(userId, { sessionId, limit });
    const system = history.filter(({ role }) => role === "system").length;
    leftOut += stored - system - sentCount({ history, total, limit });
  }
  return leftOut;
}
