import type { Awaitable, SessionState } from "./memory.js";
import type { SessionRowWithState } from "./store.js";

/** Small enough that reading one page hardly delays other users. */
export const MOST_SESSIONS = 500;
export const MOST_CHARACTERS = 256 * 1024;

/** Whether a page of `Store.sessionsById` ends here. `characters`: of its states, as JSON text. */
export const isFull = (page: readonly unknown[], characters: number): boolean =>
  page.length >= MOST_SESSIONS || characters > MOST_CHARACTERS;

/** Page after page: `next` returns the one above an id, or an empty one. */
export async function* pagesAfter(
  next: (after: string) => Promise<readonly SessionRowWithState[]>,
): AsyncGenerator<readonly SessionRowWithState[]> {
  let page = await next("");
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    yield page;
    page = await next(last.sessionId);
  }
}

/** What `read` adds to a session. */
type WithState<Session> = Session & Pick<SessionRowWithState, "total" | "state">;

/** Pages of sessions that were listed all at once, each with its state as it is then. */
export function pagesOfAll<Session extends { readonly sessionId: string }>(
  sessions: readonly Session[],
  read: (sessionId: string) => Awaitable<Pick<SessionRowWithState, "total" | "state">>,
): AsyncGenerator<readonly WithState<Session>[]> {
  const known = new Map(sessions.map((session) => [session.sessionId, session]));
  return pagesById(known.keys(), async (sessionId) => {
    const { total, state } = await read(sessionId);
    const session = known.get(sessionId);
    return session && { ...session, total, state };
  });
}

/**
 * Pages of these sessions, by id. `read` returns a session as it is then; `undefined` if it is
 * gone. Each page is from one moment, unless that returns promises.
 */
export async function* pagesById<
  Id extends string,
  Session extends { readonly state: SessionState },
>(
  ids: Iterable<Id>,
  read: (id: Id) => Awaitable<Session | undefined>,
): AsyncGenerator<readonly Session[]> {
  let page: Session[] = [];
  let characters = 0;
  for (const id of [...ids].sort(byCodePoints)) {
    const found = read(id);
    const session = found instanceof Promise ? await found : found;
    if (session === undefined) continue;
    page.push(session);
    characters += JSON.stringify(session.state).length;
    if (!isFull(page, characters)) continue;
    yield page;
    page = [];
    characters = 0;
  }
  if (page.length > 0) yield page;
}

function byCodePoints(left: string, right: string): number {
  const end = Math.min(left.length, right.length);
  for (let index = 0; index < end; index += 1) {
    const [one, other] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (one !== other) return rankOf(one) - rankOf(other);
  }
  return left.length - right.length;
}

/** Surrogates stand for the highest code points, but are not the highest units of UTF-16. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
