import type { NewAttachment } from "../../attachments.js";
import type { Speaker } from "./screen.js";

/** A sent message without a whole answer. */
export interface Unanswered {
  readonly text: string;
  /** The id of its run; undefined if none had begun. */
  readonly runId: string | undefined;
  /** The id of the run it should have replaced. */
  readonly replaceRun: string | undefined;
  /** The files that came with it. */
  readonly attachments: readonly NewAttachment[];
}

const MOST = 100;

/** The last unanswered message of each user and session, for `/retry`. Keeps the latest 100. */
export class UnansweredMessages {
  readonly #byKey = new Map<string, Unanswered>();

  of(speaker: Speaker): Unanswered | undefined {
    return this.#byKey.get(keyOf(speaker));
  }

  keep(speaker: Speaker, message: Unanswered): void {
    this.forget(speaker);
    this.#byKey.set(keyOf(speaker), message);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MOST && oldest !== undefined) this.#byKey.delete(oldest);
  }

  /** Forgets a user's messages, in all sessions unless one is given. */
  forget({ userId, sessionId }: Pick<Speaker, "userId"> & Partial<Speaker>): void {
    for (const key of this.#byKey.keys()) {
      const [user, session] = JSON.parse(key) as [string, string];
      if (user === userId && (sessionId ?? session) === session) this.#byKey.delete(key);
    }
  }
}

const keyOf = ({ userId, sessionId }: Speaker): string => JSON.stringify([userId, sessionId]);
