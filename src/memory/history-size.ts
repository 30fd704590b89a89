import type { SessionInfo } from "./memory.js";

export interface Size {
  readonly messages: number;
  readonly runs: number;
  readonly bytes: number;
}

/** The size of one session, or of all of them. */
export function sizeOf(sessions: readonly SessionInfo[], sessionId: string | undefined): Size {
  const counted = sessions.filter(
    (session) => sessionId === undefined || session.sessionId === sessionId,
  );
  const sum = (key: keyof Size) => counted.reduce((total, session) => total + session[key], 0);
  return { messages: sum("messages"), runs: sum("runs"), bytes: sum("bytes") };
}
