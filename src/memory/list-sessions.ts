import { storedSessionId, type UserId } from "../ids.js";
import { pagesOfAll } from "./session-pages.js";
import type { SessionRowWithState, Store } from "./store.js";

/** What `Store.sessionsById` returns, also of a store without it. */
export async function* sessionPages(
  store: Store,
  userId: UserId,
): AsyncGenerator<readonly SessionRowWithState[]> {
  if (store.sessionsById !== undefined) return yield* store.sessionsById(userId);
  yield* pagesOfAll(await store.sessions(userId), (sessionId) =>
    store.read(userId, { sessionId: storedSessionId(sessionId), limit: 0 }),
  );
}
