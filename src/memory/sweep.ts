import { AgnoChatError } from "../errors.js";
import type { UserCount } from "./store.js";

/** As many may always go: in a small memory half is nothing. */
const A_HANDFUL = 5;

/** Whether a sweep takes so many users that the clock may be wrong, rather than the users gone. */
export const isTooMany = ({ users, idle }: UserCount): boolean =>
  idle > A_HANDFUL && idle > users / 2;

export const tooManyInactive = ({ users, idle }: UserCount): AgnoChatError =>
  new AgnoChatError(
    "TOO_MANY_INACTIVE",
    `Nothing was deleted: ${idle} of ${users} users look inactive, which may be the clock.`,
    { hint: "Check the clock. When they are to be deleted, use force." },
  );
