import { AgnoChatError } from "../errors.js";
import type { UserCount } from "./store.js";

/** What every method of a closed memory throws. */
export const storeClosed = (): AgnoChatError =>
  new AgnoChatError("STORE_CLOSED", "The memory is closed.", { hint: "Open it again first." });

/** What `add` throws when the history it continues is gone. */
export const historyCleared = (userId: string): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `The history of user ${JSON.stringify(userId)} was cleared during this run, so nothing of it was stored.`,
    { hint: "Send the message again to begin anew." },
  );

/** What `add` throws when a key it builds on was changed by someone else. */
export const stateConflict = (userId: string): AgnoChatError =>
  new AgnoChatError(
    "STATE_CONFLICT",
    `The session state of user ${JSON.stringify(userId)} was changed during this run, so nothing of it was stored.`,
    { hint: "Read the state again and repeat the change." },
  );

/** What `add` throws when the run it replaces is not the last one. */
export const runConflict = (userId: string): AgnoChatError =>
  new AgnoChatError(
    "RUN_CONFLICT",
    `The run to be replaced is not the last one of that session of user ${JSON.stringify(userId)}, so nothing was stored.`,
    { hint: "Read the history again." },
  );

/** What a sweep throws that would take most users. */
export const tooManyInactive = ({ users, idle }: UserCount): AgnoChatError =>
  new AgnoChatError(
    "TOO_MANY_INACTIVE",
    `Nothing was deleted: ${idle} of ${users} users look inactive, which may be the clock.`,
    { hint: "Check the clock. When they are to be deleted, use force." },
  );
