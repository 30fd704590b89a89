import { checkAbout } from "./about.js";
import type { Database } from "./client.js";
import { initDatabase } from "./init-database.js";
import { isPostgres } from "./postgres-errors.js";
import { type DatabaseAddress, nameOf } from "./url.js";

const SCHEMA_MISSING = "3F000";
const FUNCTION_MISSING = "42883";

/**
 * Checks that the schema is there, is ours, and that row security binds its functions. A role that may
 * make the schema does so when it is missing.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`, `STORE_TOO_NEW`, `STORE_UNSAFE`
 * @throws {PostgresError}
 */
export async function prepareDatabase(database: Database, address: DatabaseAddress): Promise<void> {
  const ask = () => database.call("about_v1", []);
  const about = await ask().catch(async (error: unknown) => {
    if (!isPostgres(error, SCHEMA_MISSING, FUNCTION_MISSING)) throw error;
    await initDatabase(database, address);
    return ask();
  });
  checkAbout(about, nameOf(address));
}
