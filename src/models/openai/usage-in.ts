import { asRecord } from "../../json.js";
import type { Usage } from "../../messages.js";

/** Reads the counts of a `usage` object, or undefined when they are missing or zero. */
export function usageIn(usage: unknown): Usage | undefined {
  const { prompt_tokens: input, completion_tokens: output } = asRecord(usage);
  if (!isCount(input) || !isCount(output) || input === 0) return undefined;
  return { inputTokens: input, outputTokens: output };
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
