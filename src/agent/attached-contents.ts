import type { AttachedFiles } from "../attachments.js";
import type { UserId } from "../ids.js";
import { noAttachments } from "../memory/failures.js";
import type { Memory, Snapshot } from "../memory/memory.js";
import { type Contents, hashesOf } from "../messages.js";

interface Attaching {
  readonly userId: UserId;
  /** Those of the message that is being sent. */
  readonly files: AttachedFiles | undefined;
}

/** The contents that the user's new message and history name, all of them the user's own. */
export async function contentsFor(
  memory: Memory,
  { userId, files }: Attaching,
  { messages }: Snapshot,
): Promise<Contents> {
  const own: Contents = files?.contents ?? new Map();
  const missing = hashesOf(messages).filter((hash) => !own.has(hash));
  if (missing.length === 0) return own;
  if (memory.attachments === undefined) throw noAttachments();
  return new Map([...own, ...(await memory.attachments.read(userId, missing))]);
}
