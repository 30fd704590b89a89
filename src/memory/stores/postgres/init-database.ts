import { checkAbout } from "./about.js";
import type { Ask, Database } from "./client.js";
import { findSchema } from "./find-schema.js";
import { isPostgres } from "./postgres-errors.js";
import { foreign, noSuchRole, notReady, wrongEncoding } from "./refusals.js";
import {
  ACT_AS_OWNER,
  CREATE_SCHEMA,
  grantStatements,
  LEAVE_OWNER,
  LOCK_SCHEMA,
  migrationStatements,
} from "./schema/statements.js";
import { type DatabaseAddress, nameOf } from "./url.js";

/** Created meanwhile from another database of the server, which `LOCK_SCHEMA` does not cover. */
const MADE_MEANWHILE = ["23505", "42P06", "42P07", "42710", "XX000"];

const MOST_ATTEMPTS = 5;

export interface InitOptions {
  /** Roles to let in: they may call the functions of the memory, and nothing else. */
  readonly grantTo?: readonly string[];
}

export interface Initialised {
  /** Whether the schema was not there before. */
  readonly created: boolean;
  readonly owner: string;
}

/**
 * Creates the schema if it is missing, and lets these roles use it.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`, `STORE_UNSAFE`
 * @throws {PostgresError}
 */
export async function initDatabase(
  database: Database,
  address: DatabaseAddress,
  { grantTo = [] }: InitOptions = {},
): Promise<Initialised> {
  const name = nameOf(address);
  for (let attempt = 1; ; attempt += 1)
    try {
      return await database.transaction((ask) => init(ask, { name, grantTo }));
    } catch (error) {
      if (!isPostgres(error, ...MADE_MEANWHILE) || attempt === MOST_ATTEMPTS) throw error;
    }
}

async function init(
  ask: Ask,
  { name, grantTo }: { readonly name: string; readonly grantTo: readonly string[] },
): Promise<Initialised> {
  await ask(LOCK_SCHEMA);
  const login = await loginOf(ask);
  const schema = await findSchema(ask);
  if (login.encoding !== "UTF8") throw wrongEncoding(name, login.encoding);
  if (schema.is === "foreign") throw foreign(name);
  for (const role of grantTo) await assertRole(ask, role);
  if (schema.is === "ours" && grantTo.length === 0) return { created: false, owner: schema.owner };

  if (schema.is === "missing" && !login.mayMakeSchemas) throw notReady(name);

  await ask(schema.is === "missing" ? CREATE_SCHEMA : ACT_AS_OWNER);
  const [row = []] = await ask("SELECT current_user::text");
  const [owner] = row as readonly [string];
  const isNew = schema.is !== "ours";
  const roles = isNew && owner !== login.name ? [login.name, ...grantTo] : grantTo;
  if (isNew) for (const statement of migrationStatements(0)) await ask(statement);
  for (const statement of roles.flatMap(grantStatements)) await ask(statement);
  await ask(LEAVE_OWNER);
  // An error here undoes the transaction, so no unsafe schema stays behind.
  if (isNew) checkAbout(await ask("SELECT * FROM agno_chat.about_v1()"), name);
  return { created: isNew, owner };
}

/** Also refuses `public`, which is not a role but everybody. */
async function assertRole(ask: Ask, role: string): Promise<void> {
  const [found] = await ask("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  if (found === undefined) throw noSuchRole(role);
}

interface Login {
  readonly name: string;
  readonly mayMakeSchemas: boolean;
  readonly encoding: string;
}

async function loginOf(ask: Ask): Promise<Login> {
  const [row = []] = await ask(
    `SELECT current_user::text, has_database_privilege(current_database(), 'CREATE'),
            current_setting('server_encoding')`,
  );
  const [name, mayMakeSchemas, encoding] = row as readonly [string, boolean, string];
  return { name, mayMakeSchemas, encoding };
}
