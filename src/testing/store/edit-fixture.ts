import { DEFAULT_SESSION_ID, validateSessionId, validateUserId } from "../../ids.js";
import type { Commit, NewRow, Store, StoreEdits } from "../../memory/store.js";
import type { StoredMessage } from "../../messages.js";
import { ALICE, commit, row, type StoreFixture } from "./store-fixture.js";

export const BOB = validateUserId("bob");
export const WORK = validateSessionId("work");

/** A store without edits passes them all. */
export const withEdits =
  (check: (edits: StoreEdits, store: Store) => Promise<void>) =>
  async ({ store }: StoreFixture): Promise<void> => {
    if (store.edits !== undefined) await check(store.edits, store);
  };

/** A question and its answer. */
export const run = (runId: string): NewRow[] => [
  { ...row(`${runId}?`), runId },
  { ...row(`${runId}!`), runId, role: "assistant" },
];

export const write = async (
  store: Store,
  parts: Partial<Commit>,
): Promise<readonly StoredMessage[]> => {
  const { sessionId = DEFAULT_SESSION_ID, messages = [] } = parts;
  const own = messages.map((message) => ({ ...message, sessionId }));
  return (await store.write(commit({ ...parts, messages: own }))) as readonly StoredMessage[];
};

/** All that shows of everybody, but for the generation and the activity. */
export async function shown(store: Store): Promise<unknown> {
  const sessions = [];
  for (const userId of [ALICE, BOB])
    for (const { sessionId, lastActivity: _, ...counts } of await store.sessions(userId)) {
      const window = { sessionId: validateSessionId(sessionId), limit: Infinity };
      const { messages, state, total } = await store.read(userId, window);
      sessions.push({ userId, sessionId, counts, messages, state: { ...state }, total });
    }
  const users = (await store.users()).map(({ lastActivity: _, ...user }) => user);
  return structuredClone({ sessions: sessions.sort(bySession), users: users.sort(byUser) });
}

type Named = { readonly userId: string; readonly sessionId?: string };
const nameOf = ({ userId, sessionId = "" }: Named): string => `${userId}\0${sessionId}`;
const bySession = (one: Named, other: Named): number => (nameOf(one) < nameOf(other) ? -1 : 1);
const byUser = bySession;
