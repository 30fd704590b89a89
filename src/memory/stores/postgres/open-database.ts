import { checkAbout } from "./about.js";
import { Database } from "./client.js";
import { initDatabase } from "./init-database.js";
import { isPostgres } from "./postgres-errors.js";
import { repeatOpening } from "./repeat.js";
import { type DatabaseAddress, nameOf } from "./url.js";

const SCHEMA_MISSING = "3F000";
const FUNCTION_MISSING = "42883";

/**
 * Connects to a memory that is ready for use.
 * @throws as `prepareDatabase`
 */
export async function openDatabase(address: DatabaseAddress): Promise<Database> {
  const database = await Database.at(address);
  try {
    await prepareDatabase(database, address);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Checks that the schema exists, is a memory, and that row security applies to its functions.
 * Creates a missing schema if the role may. Repeated for as long as another attempt may help.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`, `STORE_TOO_NEW`, `STORE_UNSAFE`
 * @throws {PostgresError}
 */
export const prepareDatabase = (database: Database, address: DatabaseAddress): Promise<void> =>
  repeatOpening(async () => {
    const ask = () => database.call("about_v1", []);
    const about = await ask().catch(async (error: unknown) => {
      if (!isPostgres(error, SCHEMA_MISSING, FUNCTION_MISSING)) throw error;
      await initDatabase(database, address);
      return ask();
    });
    checkAbout(about, nameOf(address));
  });
