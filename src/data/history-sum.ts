import type { StoredMessage } from "../messages.js";

/** What a model's tokens cost, per million of them. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** The price of a model, as it is named in messages; undefined if it has none. */
export type PriceOf = (model: string) => Price | undefined;

/** What calls of models have used. */
export class UsageSum {
  calls = 0;
  inputTokens = 0;
  outputTokens = 0;
  /** Calls whose tokens were estimated, since their server did not tell. */
  estimated = 0;
  /** Calls without any count, such as an interrupted one. */
  uncounted = 0;
  cost = 0;
  /** Calls with tokens whose model has no price. */
  unpriced = 0;

  /** @param message of an assistant */
  add({ usage, model = "" }: StoredMessage, priceOf: PriceOf): void {
    this.calls += 1;
    if (usage === undefined) {
      this.uncounted += 1;
      return;
    }
    this.inputTokens += usage.inputTokens;
    this.outputTokens += usage.outputTokens;
    if (usage.estimated) this.estimated += 1;
    const price = priceOf(model);
    if (price === undefined) this.unpriced += 1;
    else
      this.cost +=
        (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1_000_000;
  }
}

/** How the calls of a history can be grouped; a day is one of UTC. */
export const USAGE_GROUPS = ["day", "model", "session"] as const;

export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** The name of a model that no message names. */
const UNKNOWN = "unknown";

const KEY_OF: Readonly<Record<UsageGroup, (message: StoredMessage) => string>> = {
  day: ({ createdAt }) => createdAt.slice(0, "2026-01-01".length),
  model: ({ model = UNKNOWN }) => model,
  session: ({ sessionId }) => sessionId,
};

export interface HistorySumOptions {
  readonly by?: UsageGroup | undefined;
  readonly priceOf?: PriceOf | undefined;
}

/** Sums up a history of any length, batch by batch. */
export class HistorySum {
  messages = 0;
  /** ISO 8601, UTC. Not always the first that was added: a message may have been imported. */
  oldest: string | undefined;
  newest: string | undefined;
  readonly usage = new UsageSum();
  readonly groups = new Map<string, UsageSum>();
  readonly #keyOf: (message: StoredMessage) => string;
  readonly #priceOf: PriceOf;

  /** Without prices, nothing has a cost. */
  constructor({ by = "day", priceOf = () => undefined }: HistorySumOptions = {}) {
    this.#keyOf = KEY_OF[by];
    this.#priceOf = priceOf;
  }

  add(batch: readonly StoredMessage[]): void {
    this.messages += batch.length;
    for (const message of batch) {
      const { role, createdAt } = message;
      if (this.oldest === undefined || createdAt < this.oldest) this.oldest = createdAt;
      if (this.newest === undefined || createdAt > this.newest) this.newest = createdAt;
      if (role !== "assistant") continue;
      this.usage.add(message, this.#priceOf);
      this.#groupOf(message).add(message, this.#priceOf);
    }
  }

  #groupOf(message: StoredMessage): UsageSum {
    const key = this.#keyOf(message);
    const group = this.groups.get(key) ?? new UsageSum();
    this.groups.set(key, group);
    return group;
  }
}
