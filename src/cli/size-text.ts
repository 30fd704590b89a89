import type { HistorySum } from "../data/history-sum.js";
import type { Size } from "../memory/history-size.js";
import { count } from "./words.js";

export interface SizeDetails {
  readonly size: Size;
  readonly sum: HistorySum;
  /** Of the messages sent to the model from each session. */
  readonly historyLimit: number;
  /** The messages that this limit keeps from the model. */
  readonly leftOut: number;
}

/** What is kept, of how much, since when, and what of it the model does not see. */
export function sizeText({ size, sum, historyLimit, leftOut }: SizeDetails): string {
  const { messages, runs, bytes } = size;
  const total = `${count(messages, "message")} in ${count(runs, "run")}, ${count(bytes, "byte")}`;
  const { oldest, newest, usage } = sum;
  if (oldest === undefined || newest === undefined) return `${total}\n`;
  const about = usage.estimated > 0 ? "about " : "";
  return [
    total,
    `  tokens: ${about}${usage.inputTokens} input, ${usage.outputTokens} output`,
    `  oldest: ${minuteOf(oldest)}, newest: ${minuteOf(newest)}`,
    `  limit: ${count(historyLimit, "message")} of a session, which leaves out ${leftOut || "none"}`,
    "",
  ].join("\n");
}

const minuteOf = (time: string): string => `${time.slice(0, 16).replace("T", " ")} UTC`;
