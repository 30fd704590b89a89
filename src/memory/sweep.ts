import type { UserCount } from "./store.js";

/** This many users can always be deleted, even if they are most users of a small memory. */
const ALWAYS_ALLOWED = 5;

/** Whether so many users look idle that the clock may be wrong. */
export const isTooMany = ({ users, idle }: UserCount): boolean =>
  idle > ALWAYS_ALLOWED && idle > users / 2;
