import type { Memory } from "../../memory/memory.js";
import { type HistoryLimits, leftOutOf, limitsText } from "../left-out.js";
import type { Speaker } from "./screen.js";

interface Limited extends HistoryLimits {
  readonly memory: Memory;
}

/** Says once in each session that the history limits leave something out from now on. */
export class LimitRemarks {
  readonly #told = new Set<string>();

  async next(parts: Limited, { userId, sessionId }: Speaker): Promise<string | undefined> {
    const { memory, historyLimit, historyTokens } = parts;
    const session = JSON.stringify([userId, sessionId]);
    if (this.#told.has(session)) return undefined;
    const leftOut = await leftOutOf(memory, { userId, sessionId, historyLimit, historyTokens });
    if (leftOut === 0) return undefined;
    this.#told.add(session);
    return `${userId}, session ${sessionId}: from now on the model is not sent the oldest messages, only up to ${limitsText(parts)}. They stay kept.`;
  }
}
