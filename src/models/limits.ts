import { AgnoChatError } from "../errors.js";

/**
 * The limits of one model reply, so that an endless one cannot delay every user of the process.
 */
export const LIMITS = {
  toolCalls: 128,
  /** Characters of text, tagged thoughts included: about a million tokens. */
  text: 4_000_000,
  /** Characters of reasoning that the server sends separately. */
  reasoning: 16_000_000,
  /** Characters of the ids, names and arguments of all calls together. */
  toolCallText: 4_000_000,
  /** Characters of one server-sent event or document. */
  event: 8_000_000,
  /** Bytes of comments and empty chunks between two pieces of an answer. */
  bytesWithoutProgress: 32_000_000,
  /** Empty chunks between two pieces of an answer. */
  eventsWithoutProgress: 100_000,
  /** 20 minutes in which nothing but keep-alives arrives. */
  msWithoutProgress: 20 * 60_000,
  /** 2 hours from the first byte of an answer to the last. */
  msOfAnswer: 2 * 60 * 60_000,
} as const;

/**
 * @param count Calls so far, including the newest.
 * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when there are too many
 */
export function limitToolCalls(count: number): void {
  if (count > LIMITS.toolCalls)
    throw limitExceeded(`The model made more than ${LIMITS.toolCalls} tool calls in one reply.`);
}

const NOUNS = { text: "text", reasoning: "reasoning", toolCallText: "arguments" } as const;

/**
 * @param size Characters of that kind so far.
 * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when there are too many
 */
export function limitSize(kind: keyof typeof NOUNS, size: number): void {
  if (size <= LIMITS[kind]) return;
  const millions = LIMITS[kind] / 1_000_000;
  throw limitExceeded(
    `The model sent more than ${millions} million characters of ${NOUNS[kind]} in one reply.`,
  );
}

const limitExceeded = (message: string): AgnoChatError =>
  new AgnoChatError("MODEL_BAD_RESPONSE", message, {
    hint: "Try again, or ask for less at once.",
  });
