import { Database } from "./client.js";
import { type InitOptions, initDatabase } from "./init-database.js";
import { prepareDatabase } from "./open-database.js";
import { storeFailed } from "./postgres-errors.js";
import { nameOf, parseDatabaseUrl } from "./url.js";

/**
 * Makes the memory in the database that `url` names, or leaves it as it is when it is there, and lets
 * other roles use it. It takes a role that may make schemas, and better one that may also make roles:
 * then nobody who logs in owns what is stored.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function initPostgres(url: string, options: InitOptions = {}): Promise<void> {
  const address = parseDatabaseUrl(url);
  const database = await Database.at(address);
  try {
    await initDatabase(database, address, options);
    await prepareDatabase(database, address);
  } catch (error) {
    throw storeFailed(nameOf(address), error);
  } finally {
    await database.close();
  }
}
