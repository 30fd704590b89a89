import type { SessionInfo } from "../../memory/memory.js";
import { ago } from "../ago.js";
import { count } from "../words.js";
import type { Speaker } from "./screen.js";

/** A speaker at their first prompt, with all of their sessions. */
export interface Introduction {
  readonly speaker: Speaker;
  readonly sessions: readonly SessionInfo[];
}

/**
 * For example `alice, who is new`, `alice in work, which is new` or `alice: 4 messages, the last 3
 * hours ago`.
 */
export function introductionText({
  speaker: { userId, sessionId },
  sessions,
}: Introduction): string {
  const name = sessionId === "default" ? userId : `${userId} in ${sessionId}`;
  if (sessions.length === 0) return `${name}, who is new`;
  return name + sessionText(sessions.find((session) => session.sessionId === sessionId));
}

/** The text after the name of a session: new, or its size and age. */
export const sessionText = (session: SessionInfo | undefined): string =>
  session === undefined
    ? ", which is new"
    : `: ${count(session.messages, "message")}, the last ${ago(session.lastActivity)}`;
