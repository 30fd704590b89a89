import { type Cancellation, untilAborted } from "../abort.js";
import type { SessionId, UserId } from "../ids.js";
import type { Awaitable, Limits, LimitUse, Snapshot, Spent, UserLimits } from "../memory/memory.js";
import { RUN_MS } from "../memory/user-limits.js";
import type { Usage } from "../messages.js";
import { estimateReply } from "../models/estimate-usage.js";
import type { ModelRequest } from "../models/model.js";
import type { Reply } from "./ask-model.js";

/** Who counts what users use, and the limits of those who have none of their own. */
export interface LimitSource {
  readonly counts: Pick<UserLimits, "admit" | "renew" | "settle">;
  /** As they are now. */
  readonly limits: () => Limits;
  /** The run is stored elsewhere, so its commit cannot settle it. */
  readonly isApart?: boolean;
}

interface Asker {
  readonly runId: string;
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly cancellation: Cancellation;
}

/**
 * Reads the session of a run that may begin.
 * @param limit How many messages to read.
 * @throws {AgnoChatError} `BUDGET`, `RATE_LIMITED`, `BUSY`
 */
export function admit(
  { counts, limits }: LimitSource,
  { runId, userId, sessionId, cancellation }: Asker,
  limit: number,
): Awaitable<Snapshot> {
  const admitted = counts.admit(userId, { runId, limits: limits(), sessionId, limit });
  if (!(admitted instanceof Promise)) return admitted;
  return untilAborted(admitted, cancellation).catch((thrown: unknown) => {
    // If it was cancelled, it may still be admitted.
    void admitted.then(() => counts.settle(userId, { runId, tokens: 0 })).catch(() => undefined);
    throw thrown;
  });
}

interface Asked {
  readonly request: ModelRequest;
  readonly reply: Reply;
  readonly cancellation: Cancellation;
}

/** Counts one run: as under way until it ends, and its tokens. */
export class RunAdmission {
  readonly isApart: boolean;
  readonly #counts: LimitSource["counts"];
  readonly #userId: UserId;
  readonly #runId: string;
  readonly #use: readonly LimitUse[] | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #tokens = 0;

  /** @param use `Snapshot.use`: undefined for a user without limits, whose tokens only count. */
  constructor(
    { counts, isApart = false }: LimitSource,
    { userId, runId }: Pick<Asker, "userId" | "runId">,
    use: readonly LimitUse[] | undefined,
  ) {
    this.isApart = isApart;
    this.#counts = counts;
    this.#userId = userId;
    this.#runId = runId;
    this.#use = use;
    if (use !== undefined) this.#timer = setInterval(() => void this.#renew(), RUN_MS / 3).unref();
  }

  /** Counts the tokens of a reply when it is there, or has broken off. */
  async count(asked: Promise<void>, { request, reply, cancellation }: Asked): Promise<void> {
    let isWhole = false;
    try {
      await asked;
      isWhole = true;
    } finally {
      const hasBegun = reply.text !== "" || reply.toolCalls.length > 0;
      // A model that failed at once has answered nothing; one that was stopped may have worked.
      if (isWhole || hasBegun || cancellation.aborted)
        this.#tokens += tokensOf(reply.usage ?? estimateReply(request, reply));
    }
  }

  get spent(): Spent {
    return { runId: this.#runId, tokens: this.#tokens };
  }

  /** The limits of the user with what this run has used; undefined without any. */
  get use(): readonly LimitUse[] | undefined {
    return this.#use?.map((each) =>
      each.limit === "tokensPerDay" ? { ...each, used: each.used + this.#tokens } : each,
    );
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Of a run that no commit has settled, as far as is known. Never throws. */
  async settle(): Promise<void> {
    try {
      await this.#counts.settle(this.#userId, this.spent);
    } catch {
      // It counts as under way for no longer than `RUN_MS`.
    }
  }

  async #renew(): Promise<void> {
    try {
      await this.#counts.renew(this.#userId, this.#runId);
    } catch {
      // The next renewal comes in time.
    }
  }
}

const tokensOf = ({ inputTokens, outputTokens }: Usage): number => inputTokens + outputTokens;
