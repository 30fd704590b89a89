import { countsOf } from "../../memory/counts.js";
import type { Counts, Memory } from "../../memory/memory.js";
import { ago } from "../ago.js";
import { count } from "../words.js";
import type { Speaker } from "./screen.js";

/** A speaker at their first prompt. */
export interface Introduction {
  readonly speaker: Speaker;
  /** What is kept of their session. */
  readonly session: Counts;
  /** Whether nothing is kept of any session of theirs. */
  readonly isNew: boolean;
}

export async function introductionOf(memory: Memory, speaker: Speaker): Promise<Introduction> {
  const { userId, sessionId } = speaker;
  const session = await countsOf(memory, userId, { sessionId });
  const isNew = session.sessions === 0 && (await countsOf(memory, userId)).sessions === 0;
  return { speaker, session, isNew };
}

/**
 * For example `alice, who is new`, `alice in work, which is new` or `alice: 4 messages, the last 3
 * hours ago`.
 */
export function introductionText({
  speaker: { userId, sessionId },
  session,
  isNew,
}: Introduction): string {
  const name = sessionId === "default" ? userId : `${userId} in ${sessionId}`;
  return name + (isNew ? ", who is new" : sessionText(session));
}

/** The text after the name of a session: new, or its size and age. */
export const sessionText = ({ messages, lastActivity }: Counts): string =>
  lastActivity === undefined
    ? ", which is new"
    : `: ${count(messages, "message")}, the last ${ago(lastActivity)}`;
