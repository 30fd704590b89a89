import { setImmediate as nextTurn } from "node:timers/promises";
import { AgnoChatError } from "../errors.js";
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
 * @throws {AgnoChatError} `STORE_FAILED` if a batch does not go on from the one before it
 */
export async function* readBatches(
  read: ReadMessages,
  { before, after }: Bounds,
): AsyncGenerator<readonly StoredMessage[], void, undefined> {
  for (let rest: Bounds = { before, after }; ; ) {
    const batch = await read({ ...rest, ...BATCH });
    const [first, last] = [batch[0]?.id, batch.at(-1)?.id];
    if (first === undefined || last === undefined) return;
    // Otherwise the same batches could come again for ever.
    if (after === undefined ? first >= (rest.before ?? Infinity) : last <= (rest.after ?? 0))
      throw outOfOrder();
    yield batch;
    rest = after === undefined ? { before: first } : { before, after: last };
    await nextTurn();
  }
}

const outOfOrder = (): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    "The memory returned messages that were read before, so the history has no end.",
    { hint: "Test the memory with memoryConformance from agno-chat/testing." },
  );

export const totalCharacters = (messages: readonly StoredMessage[]): number =>
  messages.reduce((sum, message) => sum + charactersOf(message), 0);
