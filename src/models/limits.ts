import { AgnoChatError } from "../errors.js";

/** The most of everything that a model may send in one reply: one without an end would hold up every user of the process. */
export const LIMITS = {
  toolCalls: 128,
  /** Characters of text, thoughts between tags included: a million tokens. */
  text: 4_000_000,
  /** Characters of reasoning that a server tells apart. */
  reasoning: 16_000_000,
  /** Characters of ids, names and arguments, of all calls together. */
  toolCallText: 4_000_000,
  /** Characters of one server-sent event, or of one document. */
  event: 8_000_000,
  /** Bytes of comments and empty chunks between two pieces of an answer. */
  bytesWithoutProgress: 32_000_000,
  /** Empty chunks between two pieces of an answer. */
  eventsWithoutProgress: 100_000,
  /** Signs of life and nothing else: 20 minutes. */
  msWithoutProgress: 20 * 60_000,
  /** From the first byte of an answer to its last: 2 hours. */
  msOfAnswer: 2 * 60 * 60_000,
} as const;

/**
 * @param count Calls so far, the newest included.
 * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when they are too many
 */
export function limitToolCalls(count: number): void {
  if (count > LIMITS.toolCalls)
    throw tooMuch(`The model asked for more than ${LIMITS.toolCalls} tools in one reply.`);
}

const WHAT = { text: "text", reasoning: "reasoning", toolCallText: "arguments" } as const;

/**
 * @param size Characters of that kind so far.
 * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when they are too many
 */
export function limitSize(kind: keyof typeof WHAT, size: number): void {
  if (size > LIMITS[kind])
    throw tooMuch(
      `The model sent more than ${LIMITS[kind] / 1_000_000} million characters of ${WHAT[kind]} in one reply.`,
    );
}

const tooMuch = (message: string): AgnoChatError =>
  new AgnoChatError("MODEL_BAD_RESPONSE", message, {
    hint: "Try again, or ask for less at once.",
  });
