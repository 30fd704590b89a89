import { AgnoChatError } from "../../../errors.js";
import type { Migrated, StoreReport } from "../../store-report.js";
import { Database } from "./client.js";
import { findSchema, ownerOfMemory } from "./find-schema.js";
import { findingsOf } from "./findings.js";
import { type Initialised, type InitOptions, initDatabase } from "./init-database.js";
import { grantScript, initScript } from "./init-script.js";
import { inspect } from "./inspect.js";
import { migrateDatabase } from "./migrate.js";
import { prepareDatabase } from "./open-database.js";
import { isPostgres, NO_RIGHT, storeFailed } from "./postgres-errors.js";
import { tooNew } from "./refusals.js";
import { MIGRATIONS } from "./schema.js";
import { type DatabaseAddress, nameOf, parseDatabaseUrl } from "./url.js";

/**
 * Creates the memory in the database that `url` names, unless it exists, and lets other roles use
 * it. Needs a role that may create schemas. If it may also create roles, a role that cannot log in
 * owns the stored data.
 * @throws {AgnoChatError} `STORE_…`
 */
export const initPostgres = (url: string, options: InitOptions = {}): Promise<Initialised> =>
  withDatabase(url, async (database, address) => {
    const made = await initDatabase(database, address, options);
    await prepareDatabase(database, address);
    return made;
  });

/** Whether `initPostgres` failed because the role lacks a privilege. */
export const wasDenied = (error: unknown): boolean =>
  error instanceof AgnoChatError && isPostgres(error.cause, NO_RIGHT);

/** The SQL for an administrator to run, with grants for the role of the URL. Does not connect. */
export function initSql(url: string, { grantTo = [] }: InitOptions = {}): string {
  const user = parseDatabaseUrl(url).user ?? process.env.PGUSER;
  return initScript(distinct(user === undefined ? grantTo : [user, ...grantTo]));
}

/** The same, but only what the database lacks now. */
export const missingSql = (url: string, { grantTo = [] }: InitOptions = {}): Promise<string> =>
  withDatabase(url, async (database) => {
    const [[login] = []] = await database.ask("SELECT current_user::text");
    const { is } = await findSchema(database.ask);
    const roles = distinct([login as string, ...grantTo]);
    return is === "ours" ? grantScript(roles) : initScript(roles);
  });

/**
 * Looks at the database and changes nothing.
 * @throws {AgnoChatError} `STORE_…`
 */
export const checkPostgres = (url: string): Promise<StoreReport> =>
  withDatabase(url, async (database, address) => {
    const name = nameOf(address);
    await ownerOfMemory(database.ask, name);
    const facts = await inspect(database);
    const [version, known] = [facts.version, MIGRATIONS.length];
    if (version > known) throw tooNew(name, { version, known });
    return { store: `the database ${name}`, findings: findingsOf(facts, address) };
  });

/**
 * Looks only for the schema.
 * @throws {AgnoChatError} `STORE_…`; `STORE_NOT_READY` if there is none
 */
export const requirePostgres = (url: string): Promise<void> =>
  withDatabase(url, async ({ ask }, address) => {
    await ownerOfMemory(ask, nameOf(address));
  });

/**
 * Brings the schema to the latest version.
 * @param steps For tests.
 * @throws {AgnoChatError} `STORE_…`
 */
export const migratePostgres = (url: string, steps?: readonly string[]): Promise<Migrated> =>
  withDatabase(
    url,
    (database, address) => migrateDatabase(database, nameOf(address), steps),
    // A step may rewrite every row.
    { callMs: 0 },
  );

async function withDatabase<Result>(
  url: string,
  work: (database: Database, address: DatabaseAddress) => Promise<Result>,
  options: { readonly callMs?: number } = {},
): Promise<Result> {
  const address = parseDatabaseUrl(url);
  const database = await Database.at(address, options);
  try {
    return await work(database, address);
  } catch (error) {
    throw storeFailed(nameOf(address), error);
  } finally {
    await database.close();
  }
}

const distinct = (roles: readonly string[]): string[] => [...new Set(roles)];
