import { AgnoChatError } from "../errors.js";
import type { UserId } from "../ids.js";
import type { UserCount } from "./store.js";

/** Thrown by every method of a closed memory. */
export const storeClosed = (): AgnoChatError =>
  new AgnoChatError("STORE_CLOSED", "The memory is closed.", { hint: "Open it again first." });

/** Thrown by `add` if the history it continues was cleared. */
export const historyCleared = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `The history of user ${JSON.stringify(userId)} was cleared during this run, ` +
      "so nothing of it was stored.",
    { hint: "Send the message again to start over." },
  );

/** Thrown by `add` if an expected value of the session state was changed meanwhile. */
export const stateConflict = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "STATE_CONFLICT",
    `The session state of user ${JSON.stringify(userId)} was changed during this run, ` +
      "so nothing of it was stored.",
    { hint: "Read the state again and repeat the change." },
  );

/** Thrown by `add` if the session does not end with the run to replace, or has another total. */
export const runConflict = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "RUN_CONFLICT",
    `That session of user ${JSON.stringify(userId)} went on meanwhile, so nothing was stored.`,
    { hint: "Read the history again." },
  );

/** Thrown by `add` if another run has taken over the lease, and why that run is cancelled. */
export const leaseLost = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "LEASE_LOST",
    `The lease of this session of user ${JSON.stringify(userId)} ran out, so another run could ` +
      "begin and nothing of this one was stored.",
    { hint: "Send the message again." },
  );

/** Thrown where leases are asked of a memory that has none. */
export const noLeases = (): AgnoChatError =>
  new AgnoChatError("USAGE", "This memory cannot keep runs of several servers in order.", {
    hint: "Use a memory that has leases, such as PostgresMemory, or leave out lease.",
    hintId: "lease-store",
  });

/** Thrown where limits are asked of a memory that has none. */
export const noLimits = (): AgnoChatError =>
  new AgnoChatError("USAGE", "This memory cannot count what its users use.", {
    hint: "Use a memory that has limits, such as InMemory, or leave out limits.",
  });

/** Thrown where edits are asked of a memory that has none. */
export const noEdits = (): AgnoChatError =>
  new AgnoChatError("USAGE", "This memory can only add, and clear whole sessions.", {
    hint: "Use a memory that has edits, such as InMemory.",
  });

export const noSearch = (): AgnoChatError =>
  new AgnoChatError("USAGE", "This memory cannot search.", {
    hint: "Use a memory that can, such as InMemory.",
  });

/** Thrown where attachments are given to a memory that keeps none. */
export const noAttachments = (): AgnoChatError =>
  new AgnoChatError("USAGE", "This memory cannot keep files.", {
    hint: "Use a memory that has attachments, such as InMemory, or send text alone.",
  });

/** Thrown by `removeInactive` if it would delete most users. */
export const tooManyInactive = ({ users, idle }: UserCount): AgnoChatError =>
  new AgnoChatError(
    "TOO_MANY_INACTIVE",
    `Nothing was deleted: ${idle} of ${users} users look inactive, so the clock may be wrong.`,
    { hint: "Check the clock. To delete them anyway, use force." },
  );
