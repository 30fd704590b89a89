import { setImmediate as nextTurn } from "node:timers/promises";
import { charactersOf } from "../memory/measure.js";
import type { Awaitable, GetMessagesOptions } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";

/** Small enough that reading one batch hardly delays other users. */
const BATCH = { limit: 128, maxCharacters: 256 * 1024 };

/** `getMessages` bound to one user. */
export type ReadMessages = (options: GetMessagesOptions) => Awaitable<StoredMessage[]>;

export type Bounds = Pick<GetMessagesOptions, "before" | "after">;

/**
 * Reads a history in batches, backward from its end, or with `after` forward from there. Each batch
 * is oldest first and never empty. Other work can run between two batches.
 */
export async function* readBatches(
  read: ReadMessages,
  { before, after }: Bounds,
): AsyncGenerator<readonly StoredMessage[], void, undefined> {
  for (let rest: Bounds = { before, after }; ; ) {
    const batch = await read({ ...rest, ...BATCH });
    const [first] = batch;
    if (first === undefined) return;
    yield batch;
    rest = after === undefined ? { before: first.id } : { before, after: batch.at(-1)?.id };
    await nextTurn();
  }
}

export const totalCharacters = (messages: readonly StoredMessage[]): number =>
  messages.reduce((sum, message) => sum + charactersOf(message), 0);
