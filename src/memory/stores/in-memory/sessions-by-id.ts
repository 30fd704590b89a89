import { pagesById } from "../../session-pages.js";
import { decodeState } from "../../state.js";
import type { SessionRowWithState } from "../../store.js";
import type { UserHistory } from "./user-history.js";

/** Loaded by its first call, since few programs have so many sessions in memory. */
export const sessionsById = (
  user: () => UserHistory | undefined,
): AsyncGenerator<readonly SessionRowWithState[]> =>
  pagesById(user()?.sessions.keys() ?? [], (sessionId) => {
    const session = user()?.sessions.get(sessionId);
    if (session === undefined) return undefined;
    return { ...session.row, total: session.total, state: decodeState(session.state) };
  });
