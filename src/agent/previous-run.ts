import { AgnoChatError } from "../errors.js";
import type { UserId } from "../ids.js";
import type { Snapshot } from "../memory/memory.js";

interface PreviousRun {
  readonly runId: string;
  readonly userId: UserId;
}

/** @throws {AgnoChatError} `RUN_CONFLICT` when a session does not end with that run */
export function refuseOtherRun({ messages }: Snapshot, { runId, userId }: PreviousRun): void {
  const last = messages.findLast(({ role }) => role !== "system");
  if (last?.runId === runId) return;
  throw new AgnoChatError(
    "RUN_CONFLICT",
    `The run to continue is not the last one of that session of user ${JSON.stringify(userId)}.`,
    { hint: "Read the history again." },
  );
}
