import type { StoredMessage } from "../messages.js";
import type { Memory, SessionOptions, SessionState } from "./memory.js";

/** Everything that is kept of one user, or of one of their sessions. */
export interface UserExport {
  /** Oldest first. */
  readonly messages: readonly StoredMessage[];
  /** Session state by session; only sessions that have one. A null-prototype object. */
  readonly state: Readonly<Record<string, SessionState>>;
}

export async function exportUser(
  memory: Memory,
  userId: string,
  { sessionId }: SessionOptions = {},
): Promise<UserExport> {
  const messages = await memory.getMessages(userId, { sessionId });
  const state: Record<string, SessionState> = Object.create(null);
  for (const session of await memory.sessions(userId)) {
    if (sessionId !== undefined && session.sessionId !== sessionId) continue;
    const values = await memory.getState(userId, { sessionId: session.sessionId });
    if (Object.keys(values).length > 0) state[session.sessionId] = values;
  }
  return { messages, state };
}
