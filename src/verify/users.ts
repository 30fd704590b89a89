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

/** Sessions with the same names for everybody; `a` with `b:c` and `a:b` with `c` join to one text. */
export const SESSIONS = ["default", "b:c", "c", "work"] as const;

/** So many user ids, the ones most easily confused first. A prefix keeps them apart from real ones. */
export const userIds = (count: number, prefix = ""): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${TRICKY[index] ?? `u${index}`}`);
