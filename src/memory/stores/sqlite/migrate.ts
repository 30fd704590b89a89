import type { Migrated } from "../../store-report.js";
import { pathOf } from "./path.js";
import { MIGRATIONS, openMemoryFile, peekMemoryFile } from "./schema.js";

/**
 * Upgrades a memory file as opening it does.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function migrateSqlite(name: string): Promise<Migrated> {
  const path = pathOf(name);
  const expressions = "(SELECT user_version FROM pragma_user_version)";
  const [from] = (await peekMemoryFile(path, expressions)) as readonly [number];
  const connection = await openMemoryFile(path);
  await connection.close();
  return { from, to: MIGRATIONS.length };
}
