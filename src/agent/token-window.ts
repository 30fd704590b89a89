import type { Snapshot } from "../memory/memory.js";
import type { Message, StoredFields } from "../messages.js";
import { estimateMessage } from "../models/estimate-usage.js";

/** A message that may know what the model that wrote it was sent. */
type CountedMessage = Message & Partial<StoredFields>;

export interface TokenExtent {
  /** The messages of the session that were read, oldest first. */
  readonly history: readonly CountedMessage[];
  /** How many messages were ever added to the session. */
  readonly total: number;
  /** The most history messages to send. */
  readonly limit: number;
  /** The most tokens of history to send. */
  readonly historyTokens: number;
}

/** The limits of an agent. */
interface HistoryLimits {
  readonly historyLimit: number;
  readonly historyTokens: number;
}

/** See `HistoryExtent.tokenLimit`. */
export const tokenLimitOf = (
  { historyLimit: limit, historyTokens }: HistoryLimits,
  { messages: history, total }: Snapshot,
): number =>
  historyTokens === Infinity
    ? Infinity
    : countWithinTokens({ history, total, limit, historyTokens });

/** Where a run begins, seen from the end of the history. */
interface RunStart {
  /** Messages from here on. */
  readonly messages: number;
  /** Tokens from here on. */
  readonly tokens: number;
}

/**
 * How many of the latest messages are within `historyTokens`: whole runs, and none if the latest
 * run alone is too long. `Infinity` if nothing has to be left out.
 *
 * A pure function of what is stored that seldom moves, so that the provider's prompt cache stays
 * valid: of the runs that leave half of the tokens or more, the history begins at the one behind
 * the roundest position in the session, as 64 is rounder than 48, and 48 than 50.
 */
export function countWithinTokens(extent: TokenExtent): number {
  const { total, historyTokens } = extent;
  const starts = runStarts(extent);
  const first = starts.findIndex(({ tokens }) => tokens <= historyTokens);
  if (first === 0 || starts.length === 0) return Infinity;
  if (first < 0) return 0;
  const roundness = (index: number): number =>
    differingBits(total - messagesAt(starts, index - 1), total - messagesAt(starts, index));
  let best = first;
  for (let index = first + 1; index < starts.length; index++) {
    if ((starts[index] as RunStart).tokens < historyTokens / 2) break;
    if (roundness(index) > roundness(best)) best = index;
  }
  return messagesAt(starts, best);
}

/** How many tokens these messages of a history are. */
export function tokensOf(conversation: readonly CountedMessage[]): number {
  const count = new TokenCount();
  for (const message of conversation.toReversed()) count.prepend(message);
  return count.tokens;
}

const messagesAt = (starts: readonly RunStart[], index: number): number =>
  (starts[index] as RunStart).messages;

/** How long the part is in which two positions differ, in bits: the rounder what lies between. */
const differingBits = (before: number, position: number): number =>
  32 - Math.clz32(before ^ position);

/** The runs of the latest `limit` messages, oldest first. */
function runStarts({ history, limit }: TokenExtent): RunStart[] {
  const conversation = history.filter(({ role }) => role !== "system");
  const end = conversation.length;
  const starts: RunStart[] = [];
  const count = new TokenCount();
  for (let index = end - 1; index >= Math.max(0, end - limit); index--) {
    const message = conversation[index] as CountedMessage;
    count.prepend(message);
    if (message.role === "user") starts.push({ messages: end - index, tokens: count.tokens });
  }
  return starts.reverse();
}

/**
 * Counts the tokens of messages, the latest first. From one reply to the next the prompt has grown
 * by what lies between, and the provider has counted both prompts. What it did not count, and a
 * growth that cannot be, is estimated: the second prompt may have begun later in the history, or
 * with other instructions.
 */
class TokenCount {
  /** From the earliest reply so far that knows its prompt. */
  #settled = 0;
  /** Estimated, before that reply. */
  #open = 0;
  #reply: CountedMessage | undefined;

  get tokens(): number {
    return this.#settled + this.#open;
  }

  prepend(message: CountedMessage): void {
    this.#open += estimateMessage(message);
    if (message.usage === undefined || message.usage.estimated) return;
    const growth = growthBetween(message, this.#reply);
    this.#settled += isPlausible(growth, this.#open) ? growth : this.#open;
    this.#open = 0;
    this.#reply = message;
  }
}

/** 0 if it is not known. */
function growthBetween(earlier: CountedMessage, later: CountedMessage | undefined): number {
  const [before, after] = [earlier.usage, later?.usage];
  if (before === undefined || after === undefined || earlier.model !== later?.model) return 0;
  return after.inputTokens - before.inputTokens;
}

/** Tokenizers differ from the estimate by a factor of two at most; a cut takes off more. */
const isPlausible = (growth: number, estimated: number): boolean =>
  growth >= estimated / 2 && growth <= estimated * 2;
