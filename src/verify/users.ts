import { randomBytes } from "node:crypto";
import { type SessionId, storedUserId, type UserId, validateSessionId } from "../ids.js";

/** Ids that fold, join or match into each other, or mean something to a database or a language. */
const TRICKY = [
  "alice",
  "Alice",
  "a",
  "a:b",
  "u1",
  "u10",
  "%",
  "_",
  "__proto__",
  "default",
  "constructor",
  "A",
  "ａ",
  "aʼb",
  "a'b",
  "a/b",
  "a b",
  "*",
  "null",
  "0",
] as const;

/** The sessions of every user. User `a` with `b:c` and user `a:b` with `c` join to one text. */
export const SESSIONS: readonly SessionId[] = ["default", "b:c", "c", "work"].map(
  validateSessionId,
);

/** What keeps the users of one check apart from real ones and from those of other checks. */
export const newPrefix = (): string => `verify-${randomBytes(4).toString("hex")}-`;

/** A user id as it is shown. */
export const withoutPrefix = (userId: string): string => userId.replace(/^verify-[0-9a-f]{8}-/, "");

/**
 * User ids, most easily confused ones first. The prefix keeps them apart from real ones. They are
 * valid as they are: were they validated here, a validation that folds them would hide itself.
 */
export const userIds = (count: number, prefix = ""): UserId[] =>
  Array.from({ length: count }, (_, index) =>
    storedUserId(`${prefix}${TRICKY[index] ?? `u${index}`}`),
  );
