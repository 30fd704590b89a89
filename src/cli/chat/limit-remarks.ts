import type { Memory } from "../../memory/memory.js";
import type { Speaker } from "./screen.js";

interface Limited {
  readonly memory: Memory;
  readonly historyLimit: number;
}

/** Says once in each session that the history limit leaves something out from now on. */
export class LimitRemarks {
  readonly #told = new Set<string>();

  async next(
    { memory, historyLimit }: Limited,
    { userId, sessionId }: Speaker,
  ): Promise<string | undefined> {
    const session = JSON.stringify([userId, sessionId]);
    if (this.#told.has(session)) return undefined;
    if ((await memory.size(userId, { sessionId })) <= historyLimit) return undefined;
    this.#told.add(session);
    return `${userId}, session ${sessionId}: from now on the model is not sent the oldest messages (--history ${historyLimit}). They stay kept.`;
  }
}
