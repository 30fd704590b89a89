import { AgnoChatError } from "../errors.js";
import type { Snapshot } from "../memory/memory.js";

/**
 * What a memory answered, when all of it can be of the session that was read: a memory that mixes up sessions or users
 * gives itself away by another session id, or by ids that do not rise.
 * @throws {AgnoChatError} `STORE_FAILED`; nothing of another's text becomes part of it
 */
export function checkedSnapshot(snapshot: Snapshot, sessionId: string): Snapshot {
  let latest = 0;
  for (const { sessionId: itsSession, id } of snapshot.messages) {
    if (itsSession !== sessionId || !(id > latest))
      throw new AgnoChatError(
        "STORE_FAILED",
        "The memory answered with messages that are not of this session, so the model was not asked.",
        { hint: "Check the memory with memoryConformance of agno-chat/testing." },
      );
    latest = id;
  }
  return snapshot;
}
