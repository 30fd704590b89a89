import type { UserId } from "../ids.js";
import type { Memory, SessionWithState } from "../memory/memory.js";

/** All sessions of a user, page by page; one by one from a memory that lists them all at once. */
export async function* sessionPages(
  memory: Memory,
  userId: UserId,
): AsyncGenerator<readonly SessionWithState[]> {
  if (memory.sessionsById !== undefined) return yield* memory.sessionsById(userId);
  for (const session of await memory.sessions(userId)) {
    const { total, state } = await memory.read(userId, { sessionId: session.sessionId, limit: 0 });
    yield [{ ...session, total, state }];
  }
}
