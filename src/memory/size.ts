import type { SessionInfo } from "./memory.js";

export interface Size {
  readonly messages: number;
  readonly runs: number;
  readonly bytes: number;
}

/** The size of one of these sessions, or of all of them. */
export function sizeOf(sessions: readonly SessionInfo[], sessionId: string | undefined): Size {
  const meant = sessions.filter(
    (session) => sessionId === undefined || session.sessionId === sessionId,
  );
  const sum = (key: keyof Size) => meant.reduce((total, session) => total + session[key], 0);
  return { messages: sum("messages"), runs: sum("runs"), bytes: sum("bytes") };
}
