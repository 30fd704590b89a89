import { ATTACHMENTS } from "./schema/attachments.js";
import { DELETES } from "./schema/deletes.js";
import { EDITS } from "./schema/edits.js";
import { ERASURE } from "./schema/erasure.js";
import { IMPORT_ENDS } from "./schema/import-ends.js";
import { IMPORTS } from "./schema/imports.js";
import { LEASES } from "./schema/leases.js";
import { LIMITS } from "./schema/limits.js";
import { LISTS } from "./schema/lists.js";
import { OLD_RUNS } from "./schema/old-runs.js";
import { READS } from "./schema/reads.js";
import { SEARCH } from "./schema/search.js";
import { SEARCH_GAPS } from "./schema/search-gaps.js";
import { SESSION_LISTS } from "./schema/session-lists.js";
import { SESSIONS_BY_ID } from "./schema/sessions-by-id.js";
import { TABLES } from "./schema/tables.js";
import { TOKENS } from "./schema/tokens.js";
import { TOTALS } from "./schema/totals.js";
import { USER_PAGES } from "./schema/user-pages.js";
import { WRITES } from "./schema/writes.js";

/**
 * The steps of the schema; meta.version counts them. A released step is never changed. Servers of
 * two releases may run at once, so a step keeps the functions of the release before it. A step may
 * change rows of every user: `migrateDatabase` turns FORCE ROW LEVEL SECURITY off meanwhile.
 */
export const MIGRATIONS: readonly string[] = [
  [TABLES, READS, WRITES, DELETES, LISTS, IMPORTS].join("\n"),
  LEASES,
  [TOKENS, LIMITS].join("\n"),
  EDITS,
  ATTACHMENTS,
  SEARCH,
  OLD_RUNS,
  ERASURE,
  SEARCH_GAPS,
  SESSIONS_BY_ID,
  USER_PAGES,
  SESSION_LISTS,
  TOTALS,
  IMPORT_ENDS,
];
