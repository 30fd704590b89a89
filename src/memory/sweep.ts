import type { UserCount } from "./store.js";

/** As many may always go: in a small memory half is nothing. */
const A_HANDFUL = 5;

/** Whether a sweep takes so many users that the clock may be wrong, rather than the users gone. */
export const isTooMany = ({ users, idle }: UserCount): boolean =>
  idle > A_HANDFUL && idle > users / 2;
