import type { StoredMessage } from "../messages.js";
import { type Bounds, type ReadMessages, readBatches, totalCharacters } from "./read-batches.js";

const MAX_PAGE_CHARACTERS = 1024 * 1024;

export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly StoredMessage[];
  /** Whether there are older messages, or with `after` newer ones. */
  readonly more: boolean;
}

/**
 * The most recent messages, or with `after` the oldest above that id. A page ends before its limit
 * once it has more than a million characters.
 */
export async function historyPage(
  read: ReadMessages,
  { limit, ...bounds }: Bounds & { readonly limit: number },
): Promise<HistoryPage> {
  const forward = bounds.after !== undefined;
  let messages: StoredMessage[] = [];
  for await (const batch of readBatches(read, bounds)) {
    const room = totalCharacters(messages) > MAX_PAGE_CHARACTERS ? 0 : limit - messages.length;
    const added = forward ? batch.slice(0, room) : batch.slice(Math.max(0, batch.length - room));
    messages = forward ? [...messages, ...added] : [...added, ...messages];
    if (added.length < batch.length) return { messages, more: true };
  }
  return { messages, more: false };
}
