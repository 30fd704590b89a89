import type { SessionInfo } from "../../memory/memory.js";
import { ago } from "../ago.js";
import { count } from "../words.js";
import type { Who } from "./screen.js";

/** Somebody who begins to talk, and all of their sessions. */
export interface Arrival {
  readonly who: Who;
  readonly sessions: readonly SessionInfo[];
}

/** For example `alice, who is new`, `alice in work, which is new` or `alice: 4 messages, the last 3 hours ago`. */
export function arrivalText({ who: { userId, sessionId }, sessions }: Arrival): string {
  const name = sessionId === "default" ? userId : `${userId} in ${sessionId}`;
  if (sessions.length === 0) return `${name}, who is new`;
  return name + sessionText(sessions.find((session) => session.sessionId === sessionId));
}

/** What follows the name of a session. */
export const sessionText = (session: SessionInfo | undefined): string =>
  session === undefined
    ? ", which is new"
    : `: ${count(session.messages, "message")}, the last ${ago(session.lastActivity)}`;
