import { AgnoChatError } from "../errors.js";
import type { SessionId } from "../ids.js";
import type { Snapshot } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";

/**
 * Returns what a memory read if it can all belong to that session. A memory that mixes up users or
 * sessions gives itself away by a wrong session id, or by message ids that do not rise.
 * @throws {AgnoChatError} `STORE_FAILED`, without any text of the messages
 */
export function checkedSnapshot(snapshot: Snapshot, sessionId: SessionId): Snapshot {
  const { messages } = snapshot;
  let latest = 0;
  for (let index = 0; index < messages.length; index++) {
    const { sessionId: itsSession, id } = messages[index] as StoredMessage;
    if (itsSession !== sessionId || !(id > latest))
      throw new AgnoChatError(
        "STORE_FAILED",
        "The memory returned messages of another session, so the model was not called.",
        { hint: "Test the memory with memoryConformance from agno-chat/testing." },
      );
    latest = id;
  }
  return snapshot;
}
