import { storedSessionId, type UserId } from "../ids.js";
import { pagesById } from "./session-pages.js";
import type { SessionRowWithState, Store } from "./store.js";

/** What `Store.sessionsById` returns, also of a store without it. */
export async function* sessionPages(
  store: Store,
  userId: UserId,
): AsyncGenerator<readonly SessionRowWithState[]> {
  if (store.sessionsById !== undefined) return yield* store.sessionsById(userId);
  const rows = new Map(
    (await store.sessions(userId)).map((row) => [storedSessionId(row.sessionId), row]),
  );
  yield* pagesById(rows.keys(), async (sessionId) => {
    const { total, state } = await store.read(userId, { sessionId, limit: 0 });
    const row = rows.get(sessionId);
    return row && { ...row, total, state };
  });
}
