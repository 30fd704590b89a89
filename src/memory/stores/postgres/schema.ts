import { DELETES } from "./schema/deletes.js";
import { LISTS } from "./schema/lists.js";
import { READS } from "./schema/reads.js";
import { TABLES } from "./schema/tables.js";
import { WRITES } from "./schema/writes.js";

/**
 * The schema, step by step; meta.version counts them. A step that was released is never changed. Servers
 * of two releases may run at once, so a step leaves the functions of the release before it in place, and
 * one that changes rows takes FORCE ROW LEVEL SECURITY off for the time, or it changes none.
 */
export const MIGRATIONS: readonly string[] = [[TABLES, READS, WRITES, DELETES, LISTS].join("\n")];
