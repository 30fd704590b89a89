import type { HistorySum } from "../data/history-sum.js";
import type { Counts } from "../memory/memory.js";
import { type HistoryLimits, limitsText } from "./left-out.js";
import { count } from "./words.js";

export interface SizeDetails {
  readonly size: Pick<Counts, "messages" | "runs" | "bytes">;
  readonly sum: HistorySum;
  readonly limits: HistoryLimits;
  /** The messages that these limits keep from the model. */
  readonly leftOut: number;
}

/** What is kept, of how much, since when, and what of it the model does not see. */
export function sizeText({ size, sum, limits, leftOut }: SizeDetails): string {
  const { messages, runs, bytes } = size;
  const total = `${count(messages, "message")} in ${count(runs, "run")}, ${count(bytes, "byte")}`;
  const { oldest, newest, usage } = sum;
  if (oldest === undefined || newest === undefined) return `${total}\n`;
  const about = usage.estimated > 0 ? "about " : "";
  return [
    total,
    `  tokens used: ${about}${usage.inputTokens} input, ${usage.outputTokens} output`,
    `  oldest: ${minuteOf(oldest)}, newest: ${minuteOf(newest)}`,
    `  sent to the model: up to ${limitsText(limits)} of a session; ${leftOut || "none"} left out`,
    "",
  ].join("\n");
}

const minuteOf = (time: string): string => `${time.slice(0, 16).replace("T", " ")} UTC`;
