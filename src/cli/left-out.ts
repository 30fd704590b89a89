import { tokenLimitOf } from "../agent/token-window.js";
import { sentCount } from "../agent/window.js";
import { sessionPages } from "../data/session-pages.js";
import type { UserId } from "../ids.js";
import type { Memory } from "../memory/memory.js";

/** How much of a session's history the model is sent at most. */
export interface HistoryLimits {
  readonly historyLimit: number;
  /** `Infinity` means any number. */
  readonly historyTokens: number;
}

interface Scope {
  readonly userId: UserId;
  /** Undefined means all of the user's sessions. */
  readonly sessionId: string | undefined;
}

/** How many of the stored messages the limits keep from the model. */
export async function leftOutOf(
  memory: Memory,
  { userId, sessionId: only, ...limits }: Scope & HistoryLimits,
): Promise<number> {
  const { historyLimit: limit, historyTokens } = limits;
  let leftOut = 0;
  for await (const [sessionId, stored] of sizesIn(memory, { userId, sessionId: only })) {
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

/** Each session with its number of messages. */
async function* sizesIn(
  memory: Memory,
  { userId, sessionId }: Scope,
): AsyncGenerator<readonly [string, number]> {
  if (sessionId !== undefined) yield [sessionId, await memory.size(userId, { sessionId })];
  else
    for await (const page of sessionPages(memory, userId))
      yield* page.map((each) => [each.sessionId, each.messages] as const);
}

/** Such as `200 messages and 4000 tokens`. */
export const limitsText = ({ historyLimit, historyTokens }: HistoryLimits): string =>
  historyTokens === Infinity
    ? `${historyLimit} messages`
    : `${historyLimit} messages and ${historyTokens} tokens`;
