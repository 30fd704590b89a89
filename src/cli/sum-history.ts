import { HistorySum, type HistorySumOptions } from "../data/history-sum.js";
import { type ReadMessages, readBatches } from "../data/read-batches.js";
import type { Progress } from "./progress.js";
import { count } from "./words.js";

export interface SumOptions extends HistorySumOptions {
  readonly signal: AbortSignal;
  /** Says how far it is. */
  readonly progress?: Progress | undefined;
}

/** Reads a history of any length once, in constant memory. */
export async function sumHistory(
  read: ReadMessages,
  { signal, progress, ...options }: SumOptions,
): Promise<HistorySum> {
  const sum = new HistorySum(options);
  try {
    for await (const batch of readBatches(read, { after: 0 })) {
      signal.throwIfAborted();
      sum.add(batch);
      progress?.show(() => count(sum.messages, "message"));
    }
    return sum;
  } finally {
    progress?.hide();
  }
}
