import type { UserId } from "../ids.js";
import { runConflict } from "../memory/failures.js";
import type { Snapshot } from "../memory/memory.js";

/**
 * Returns a session without its last run, which must be the named one.
 * @param limit How many messages were read. If none were, only the commit can check the run.
 * @throws {AgnoChatError} `RUN_CONFLICT` when the session ends with another run
 */
export function withoutLastRun(
  snapshot: Snapshot,
  {
    runId,
    userId,
    limit,
  }: { readonly runId: string; readonly userId: UserId; readonly limit: number },
): Snapshot {
  const isOfRun = (message: Snapshot["messages"][number]): boolean =>
    message.role !== "system" && message.runId === runId;
  const last = snapshot.messages.findLast(({ role }) => role !== "system");
  if (limit > 0 && last?.runId !== runId) throw runConflict(userId);
  const messages = snapshot.messages.filter((message) => !isOfRun(message));
  const taken = snapshot.messages.length - messages.length;
  return { ...snapshot, messages, total: snapshot.total - taken };
}
