import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import type { SessionInfo } from "../memory/memory.js";

interface Scope {
  readonly userId: UserId;
  /** Undefined means all of the user's sessions. */
  readonly sessionId: SessionId | undefined;
}

/**
 * An export of nothing gets no file: of a misspelt user it would look like a backup.
 * @param sessions all that the user has
 * @throws {AgnoChatError} `NOTHING_TO_EXPORT`
 */
export function refuseNothingToExport(
  sessions: readonly SessionInfo[],
  { userId, sessionId }: Scope,
): void {
  if (sessions.some((session) => (sessionId ?? session.sessionId) === session.sessionId)) return;
  const where = sessionId === undefined ? "" : ` in session ${JSON.stringify(sessionId)}`;
  throw new AgnoChatError(
    "NOTHING_TO_EXPORT",
    `Nothing is kept of ${JSON.stringify(userId)}${where}, so no file was written.`,
    { hint: "List who has a history with: agno-chat users." },
  );
}
