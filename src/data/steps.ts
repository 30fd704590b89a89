import { setImmediate as nextTurn } from "node:timers/promises";
import type { Awaitable, GetMessagesOptions } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";

/** How many messages are read at once: few enough to hold nobody up, also when each of them is long. */
const FIRST_STEP = 16;
const LONGEST_STEP = 128;
const CHARACTERS_OF_A_STEP = 256 * 1024;

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
  let step = FIRST_STEP;
  for (let rest: Bounds = { before, after }; ; ) {
    const found = await read({ ...rest, limit: step });
    const [first] = found;
    if (first === undefined) return;
    yield found;
    rest = after === undefined ? { before: first.id } : { before, after: found.at(-1)?.id };
    step = nextStep(step, found);
    await nextTurn();
  }
}

/** The next step assumes messages as long as the last ones, and gets longer slowly. */
function nextStep(step: number, messages: readonly StoredMessage[]): number {
  const fitting = Math.floor((CHARACTERS_OF_A_STEP * messages.length) / lengthOf(messages));
  return Math.max(1, Math.min(2 * step, LONGEST_STEP, fitting));
}

/** In characters, and never 0. */
export const lengthOf = (messages: readonly StoredMessage[]): number =>
  messages.reduce((sum, message) => sum + lengthOfOne(message), 1);

function lengthOfOne(message: StoredMessage): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return calls.reduce((sum, call) => sum + call.arguments.length, message.content.length);
}
