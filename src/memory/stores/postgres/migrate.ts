import { AgnoChatError } from "../../../errors.js";
import type { Migrated } from "../../store-report.js";
import { checkAbout } from "./about.js";
import type { Ask, Database } from "./client.js";
import { ownerOfMemory } from "./find-schema.js";
import { callersOf } from "./inspect.js";
import { foreign, tooNew } from "./refusals.js";
import {
  ACT_AS_OWNER,
  grantStatements,
  LEAVE_OWNER,
  LOCK_SCHEMA,
  migrationStatements,
  quoted,
} from "./schema/statements.js";
import { MIGRATIONS } from "./schema.js";

/**
 * Brings the schema to the latest version, in one transaction that loses no row.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`, `STORE_TOO_NEW`, `STORE_FAILED`
 * @throws {PostgresError}
 */
export const migrateDatabase = (
  database: Database,
  name: string,
  steps: readonly string[] = MIGRATIONS,
): Promise<Migrated> =>
  database.transaction(async (ask) => {
    await ask(LOCK_SCHEMA);
    await ownerOfMemory(ask, name);
    await ask(ACT_AS_OWNER);
    const migrated = await migrate(ask, name, steps);
    await ask(LEAVE_OWNER);
    return migrated;
  });

/** As the owner. */
async function migrate(ask: Ask, name: string, steps: readonly string[]): Promise<Migrated> {
  const [[from] = []] = (await ask("SELECT version FROM agno_chat.meta")) as [number][];
  const to = steps.length;
  if (from === undefined) throw foreign(name);
  if (from > to) throw tooNew(name, { version: from, known: to });
  if (from === to) return { from, to };

  await ask("SET LOCAL lock_timeout = '10s'");
  const before = await unforced(ask);
  for (const statement of migrationStatements(from, steps)) await ask(statement);
  const after = await unforced(ask);
  for (const [table, rows] of before)
    if (after.get(table) !== rows) throw lossy(name, { table, to });
  await secure(ask, [...after.keys()]);
  // Roles that could call the functions before can call the new ones too.
  for (const role of (await callersOf(ask)).callers)
    for (const statement of grantStatements(role)) await ask(statement);
  checkAbout(await ask("SELECT * FROM agno_chat.about_v1()"), name, to);
  return { from, to };
}

/**
 * Stops forcing row security, under which the owner would see and change no row, and counts the
 * rows of each table.
 */
async function unforced(ask: Ask): Promise<Map<string, number>> {
  const tables = await ask(
    `SELECT c.relname::text FROM pg_class c
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
     WHERE c.relnamespace = 'agno_chat'::regnamespace AND c.relkind = 'r' ORDER BY c.oid`,
  );
  const rows = new Map<string, number>();
  for (const [table] of tables as [string][]) {
    await ask(`ALTER TABLE agno_chat.${quoted(table)} NO FORCE ROW LEVEL SECURITY`);
    const [[count] = []] = await ask(`SELECT count(*) FROM agno_chat.${quoted(table)}`);
    rows.set(table, count as number);
  }
  return rows;
}

async function secure(ask: Ask, tables: readonly string[]): Promise<void> {
  for (const table of tables)
    await ask(
      `ALTER TABLE agno_chat.${quoted(table)} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
    );
}

const lossy = (
  name: string,
  { table, to }: { readonly table: string; readonly to: number },
): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    `Migrating the database ${name} to schema ${to} would change how many rows ${table} has; nothing was changed.`,
    { hint: "Report this, with the output of: agno-chat store check URL" },
  );
