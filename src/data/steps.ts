import { setImmediate as nextTurn } from "node:timers/promises";
import { charactersOf } from "../memory/measure.js";
import type { Awaitable, GetMessagesOptions } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";

/** What is read at once: little enough to hold nobody up, however long a message is. */
const STEP = { limit: 128, maxCharacters: 256 * 1024 };

/** Reads messages as `getMessages` does, of a user that is settled. */
export type ReadMessages = (options: GetMessagesOptions) => Awaitable<StoredMessage[]>;

export type Bounds = Pick<GetMessagesOptions, "before" | "after">;

/**
 * A history in steps, each of them oldest first and none empty: from its end back, or with `after` forward from there.
 * Between two steps everybody else gets a turn.
 */
export async function* stepsThrough(
  read: ReadMessages,
  { before, after }: Bounds,
): AsyncGenerator<readonly StoredMessage[], void, undefined> {
  for (let rest: Bounds = { before, after }; ; ) {
    const found = await read({ ...rest, ...STEP });
    const [first] = found;
    if (first === undefined) return;
    yield found;
    rest = after === undefined ? { before: first.id } : { before, after: found.at(-1)?.id };
    await nextTurn();
  }
}

export const lengthOf = (messages: readonly StoredMessage[]): number =>
  messages.reduce((sum, message) => sum + charactersOf(message), 0);
