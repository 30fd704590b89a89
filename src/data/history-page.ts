import type { StoredMessage } from "../messages.js";
import { type Bounds, lengthOf, type ReadMessages, stepsThrough } from "./steps.js";

const LONGEST_PAGE = 1024 * 1024;

export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly StoredMessage[];
  /** Whether there are others beyond: older ones, or with `after` newer ones. */
  readonly more: boolean;
}

/**
 * The most recent messages there are, or with `after` the oldest above that id. A page that is longer than a million
 * characters ends before its limit, though never before its first message.
 */
export async function historyPage(
  read: ReadMessages,
  { limit, ...bounds }: Bounds & { readonly limit: number },
): Promise<HistoryPage> {
  const forward = bounds.after !== undefined;
  let messages: StoredMessage[] = [];
  for await (const found of stepsThrough(read, bounds)) {
    const room = lengthOf(messages) > LONGEST_PAGE ? 0 : limit - messages.length;
    const taken = forward ? found.slice(0, room) : found.slice(Math.max(0, found.length - room));
    messages = forward ? [...messages, ...taken] : [...taken, ...messages];
    if (taken.length < found.length) return { messages, more: true };
  }
  return { messages, more: false };
}
