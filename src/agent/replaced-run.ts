import { runConflict } from "../memory/failures.js";
import type { Snapshot } from "../memory/memory.js";

/**
 * A session as it was before the run it ends with.
 * @param limit How many messages were read. With none of them, the commit alone can tell whether that run is the last.
 * @throws {AgnoChatError} `RUN_CONFLICT` when the session ends with another one
 */
export function beforeRun(
  snapshot: Snapshot,
  {
    runId,
    userId,
    limit,
  }: { readonly runId: string; readonly userId: string; readonly limit: number },
): Snapshot {
  const isOfRun = (message: Snapshot["messages"][number]): boolean =>
    message.role !== "system" && message.runId === runId;
  const last = snapshot.messages.findLast(({ role }) => role !== "system");
  if (limit > 0 && last?.runId !== runId) throw runConflict(userId);
  const messages = snapshot.messages.filter((message) => !isOfRun(message));
  const taken = snapshot.messages.length - messages.length;
  return { ...snapshot, messages, total: snapshot.total - taken };
}
