import type { Who } from "./screen.js";

/** A message that was sent and got no whole answer. */
export interface Unanswered {
  readonly text: string;
  /** Of the run that ended; undefined when none had begun. */
  readonly runId: string | undefined;
  /** The run whose place it was to take. */
  readonly replaceRun: string | undefined;
}

const MOST = 100;

/** The last message of each user and session that got no whole answer, for `/retry`. The oldest go when they become many. */
export class UnansweredMessages {
  readonly #byWho = new Map<string, Unanswered>();

  of(who: Who): Unanswered | undefined {
    return this.#byWho.get(keyOf(who));
  }

  keep(who: Who, message: Unanswered): void {
    this.forget(who);
    this.#byWho.set(keyOf(who), message);
    const [oldest] = this.#byWho.keys();
    if (this.#byWho.size > MOST && oldest !== undefined) this.#byWho.delete(oldest);
  }

  /** What one user said, in all sessions unless one is named. */
  forget({ userId, sessionId }: Pick<Who, "userId"> & Partial<Who>): void {
    for (const key of this.#byWho.keys()) {
      const [user, session] = JSON.parse(key) as [string, string];
      if (user === userId && (sessionId ?? session) === session) this.#byWho.delete(key);
    }
  }
}

const keyOf = ({ userId, sessionId }: Who): string => JSON.stringify([userId, sessionId]);
