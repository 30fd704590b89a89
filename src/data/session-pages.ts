import type { UserId } from "../ids.js";
import type { Memory, SessionWithState } from "../memory/memory.js";
import { pagesOfAll } from "../memory/session-pages.js";

/** What `Memory.sessionsById` returns, also of a memory without it. */
export async function* sessionPages(
  memory: Memory,
  userId: UserId,
): AsyncGenerator<readonly SessionWithState[]> {
  if (memory.sessionsById !== undefined) return yield* memory.sessionsById(userId);
  yield* pagesOfAll(await memory.sessions(userId), (sessionId) =>
    memory.read(userId, { sessionId, limit: 0 }),
  );
}
