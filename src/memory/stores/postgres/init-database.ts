import { checkAbout } from "./about.js";
import type { Ask, Database } from "./client.js";
import { findSchema } from "./find-schema.js";
import { isPostgres } from "./postgres-errors.js";
import { foreign, noSuchRole, notReady, wrongEncoding } from "./refusals.js";
import {
  grantStatements,
  LOCK_SCHEMA,
  migrationStatements,
  OWNER,
  quoted,
} from "./schema/statements.js";
import { type DatabaseAddress, nameOf } from "./url.js";

/** From this version on, a member may act as a role only if the grant says so. */
const SET_IS_SAID = 160_000;

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

  const owner = schema.owner ?? (login.mayMakeRoles ? await ownerFor(ask, login) : login.name);
  const roles = schema.is !== "ours" && owner !== login.name ? [login.name, ...grantTo] : grantTo;
  await asMember(ask, { login, owner }, async () => {
    if (schema.is === "missing")
      await ask(`CREATE SCHEMA agno_chat AUTHORIZATION ${quoted(owner)}`);
    await ask(`SET LOCAL ROLE ${quoted(owner)}`);
    if (schema.is !== "ours") for (const statement of migrationStatements(0)) await ask(statement);
    for (const statement of roles.flatMap(grantStatements)) await ask(statement);
    await ask("RESET ROLE");
  });
  // An error here undoes the transaction, so no unsafe schema stays behind.
  if (schema.is !== "ours") checkAbout(await ask("SELECT * FROM agno_chat.about_v1()"), name);
  return { created: schema.is !== "ours", owner };
}

/** Also refuses `public`, which is not a role but everybody. */
async function assertRole(ask: Ask, role: string): Promise<void> {
  const [found] = await ask("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  if (found === undefined) throw noSuchRole(role);
}

/** Makes the role a member of the owner while `work` runs, unless it is a superuser. */
export async function asMember<Result>(
  ask: Ask,
  { login, owner }: { readonly login: Login; readonly owner: string },
  work: () => Promise<Result>,
): Promise<Result> {
  if (owner === login.name || login.isSuperuser) return work();
  const acts = login.serverVersion >= SET_IS_SAID ? "WITH SET TRUE, INHERIT FALSE" : "";
  await ask(`GRANT ${quoted(owner)} TO CURRENT_USER ${acts}`);
  const result = await work();
  await ask(`REVOKE ${quoted(owner)} FROM CURRENT_USER`);
  return result;
}

interface Login {
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly mayMakeRoles: boolean;
  readonly mayMakeSchemas: boolean;
  readonly serverVersion: number;
  readonly encoding: string;
}

export async function loginOf(ask: Ask): Promise<Login> {
  const [row = []] = await ask(
    `SELECT rolname::text, rolsuper, rolsuper OR rolcreaterole,
            has_database_privilege(current_database(), 'CREATE'),
            current_setting('server_version_num')::int, current_setting('server_encoding')
     FROM pg_roles WHERE rolname = current_user`,
  );
  const [name, isSuperuser, mayMakeRoles, mayMakeSchemas, serverVersion, encoding] =
    row as readonly [string, boolean, boolean, boolean, number, string];
  return { name, isSuperuser, mayMakeRoles, mayMakeSchemas, serverVersion, encoding };
}

/**
 * The role that owns the schema, which is created if it is missing. Since version 16 the current
 * role may not act as one that another role created for another database of the server; then a
 * second one is created.
 */
async function ownerFor(ask: Ask, { isSuperuser, serverVersion }: Login): Promise<string> {
  const [[database] = []] = await ask(
    "SELECT oid::text FROM pg_database WHERE datname = current_database()",
  );
  const names = [OWNER, `${OWNER}_${database}`] as const;
  for (const name of names) {
    const [found] = await ask(
      "SELECT pg_has_role(current_user, oid, 'MEMBER WITH ADMIN OPTION') FROM pg_roles WHERE rolname = $1",
      [name],
    );
    if (found === undefined) await ask(`CREATE ROLE ${name} NOLOGIN`);
    if (found === undefined || found[0] === true || isSuperuser || serverVersion < SET_IS_SAID)
      return name;
  }
  return names[1];
}
