import { AgnoChatError } from "../../../errors.js";
import type { Database, Row, SqlValue } from "./client.js";
import { isPostgres } from "./postgres-errors.js";
import { MIGRATIONS } from "./schema.js";
import { type DatabaseAddress, nameOf } from "./url.js";

/** Owns the schema, and is nobody: row security binds it, and nobody can log in as it. */
const OWNER = "agno_chat_owner";

const INIT_LOCK = 0x6167_6e6f;

const SCHEMA_MISSING = "3F000";
const FUNCTION_MISSING = "42883";
const NO_RIGHT = "42501";

/** What somebody else has just made at the same time, on a server whose locks do not hold. */
const MADE_MEANWHILE = ["23505", "42P06", "42P07", "42710", "XX000"];

/**
 * Checks that the schema is there, is ours, and that row security binds it; a role that may make it does.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`, `STORE_TOO_NEW`, `STORE_UNSAFE`
 * @throws {PostgresError}
 */
export async function prepareDatabase(database: Database, address: DatabaseAddress): Promise<void> {
  const about = await aboutOf(database, address);
  if (about === undefined) await initDatabase(database, address);
  else check(about, address);
}

interface About {
  readonly version: number;
  readonly isBound: boolean;
}

type Ask = (sql: string, values?: readonly SqlValue[]) => Promise<Row[]>;

/** Undefined when there is no schema. */
async function aboutOf(database: Database, address: DatabaseAddress): Promise<About | undefined> {
  try {
    return aboutIn(await database.query("SELECT * FROM agno_chat.about_v1()"));
  } catch (error) {
    if (isPostgres(error, SCHEMA_MISSING)) return undefined;
    if (isPostgres(error, FUNCTION_MISSING)) throw foreign(address);
    throw error;
  }
}

const aboutIn = ([row]: readonly Row[]): About => ({
  version: row?.[0] as number,
  isBound: row?.[1] as boolean,
});

function check({ version, isBound }: About, address: DatabaseAddress): void {
  if (version > MIGRATIONS.length) throw tooNew(address, version);
  if (!isBound) throw unsafe(address);
}

export interface InitOptions {
  /** Roles that shall use the store besides the one that makes it: they may call its functions, and no more. */
  readonly grantTo?: readonly string[];
}

/**
 * Makes the schema, or leaves it as it is when it is there; then lets these roles use it.
 * @throws {AgnoChatError} as `prepareDatabase`
 * @throws {PostgresError}
 */
export async function initDatabase(
  database: Database,
  address: DatabaseAddress,
  { grantTo = [] }: InitOptions = {},
): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      await database.transaction("BEGIN ISOLATION LEVEL READ COMMITTED", (ask) =>
        init(ask, address, grantTo),
      );
      return;
    } catch (error) {
      if (isPostgres(error, NO_RIGHT)) throw notReady(address);
      if (!isPostgres(error, ...MADE_MEANWHILE) || attempt === 5) throw error;
    }
}

async function init(ask: Ask, address: DatabaseAddress, grantTo: readonly string[]): Promise<void> {
  await ask("SELECT pg_advisory_xact_lock($1)", [INIT_LOCK]);
  const login = await loginOf(ask);
  if (!login.hasSchema) await make(ask, address, login);
  for (const role of grantTo) await grant(ask, role);
  const about = aboutIn(await ask("SELECT * FROM agno_chat.about_v1()"));
  check(about, address);
}

interface Login {
  readonly name: string;
  readonly mayMakeRoles: boolean;
  readonly isSuperuser: boolean;
  readonly hasSchema: boolean;
  readonly hasOwner: boolean;
  readonly serverVersion: number;
  readonly encoding: string;
}

async function loginOf(ask: Ask): Promise<Login> {
  const [row = []] = await ask(
    `SELECT rolname, rolsuper OR rolcreaterole, rolsuper,
            EXISTS (SELECT FROM pg_namespace WHERE nspname = 'agno_chat'),
            EXISTS (SELECT FROM pg_roles WHERE rolname = '${OWNER}'),
            current_setting('server_version_num')::int, current_setting('server_encoding')
     FROM pg_roles WHERE rolname = current_user`,
  );
  const [name, mayMakeRoles, isSuperuser, hasSchema, hasOwner, serverVersion, encoding] =
    row as readonly [string, boolean, boolean, boolean, boolean, number, string];
  return { name, mayMakeRoles, isSuperuser, hasSchema, hasOwner, serverVersion, encoding };
}

async function make(ask: Ask, address: DatabaseAddress, login: Login): Promise<void> {
  if (login.encoding !== "UTF8") throw wrongEncoding(address, login.encoding);
  if (!login.mayMakeRoles) {
    await ask("CREATE SCHEMA agno_chat");
    await migrate(ask);
    return;
  }
  if (!login.hasOwner) await ask(`CREATE ROLE ${OWNER} NOLOGIN`);
  if (!login.isSuperuser)
    await ask(
      login.serverVersion >= 160_000
        ? `GRANT ${OWNER} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE`
        : `GRANT ${OWNER} TO CURRENT_USER`,
    );
  await ask(`CREATE SCHEMA agno_chat AUTHORIZATION ${OWNER}`);
  await ask(`SET LOCAL ROLE ${OWNER}`);
  await migrate(ask);
  await grant(ask, login.name);
  await ask("RESET ROLE");
  if (!login.isSuperuser) await ask(`REVOKE ${OWNER} FROM CURRENT_USER`);
}

async function migrate(ask: Ask): Promise<void> {
  for (const step of MIGRATIONS) await ask(step);
  await ask("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA agno_chat FROM PUBLIC");
  await ask("UPDATE agno_chat.meta SET version = $1", [MIGRATIONS.length]);
}

/** A role that may call the functions needs no right to any table. */
async function grant(ask: Ask, role: string): Promise<void> {
  const name = `"${role.replaceAll('"', '""')}"`;
  await ask(`GRANT USAGE ON SCHEMA agno_chat TO ${name}`);
  await ask(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agno_chat TO ${name}`);
}

const notReady = (address: DatabaseAddress): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${nameOf(address)} holds no agno-chat memory, and this role may not make one.`,
    { hint: "Let its administrator run: agno-chat store init URL --grant ROLE" },
  );

const foreign = (address: DatabaseAddress): AgnoChatError =>
  new AgnoChatError(
    "STORE_FOREIGN",
    `The schema agno_chat of the database ${nameOf(address)} is no agno-chat memory; it was left as it is.`,
    { hint: "Name another database." },
  );

const tooNew = (address: DatabaseAddress, version: number): AgnoChatError =>
  new AgnoChatError(
    "STORE_TOO_NEW",
    `The database ${nameOf(address)} has schema ${version}, newer than ${MIGRATIONS.length}; it was left as it is.`,
    { hint: "Update agno-chat." },
  );

const unsafe = (address: DatabaseAddress): AgnoChatError =>
  new AgnoChatError(
    "STORE_UNSAFE",
    `Row security of the database ${nameOf(address)} does not bind the owner of the schema agno_chat.`,
    {
      hint: `Let an administrator take SUPERUSER and BYPASSRLS from that role, or run: agno-chat store init URL`,
    },
  );

const wrongEncoding = (address: DatabaseAddress, encoding: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${nameOf(address)} is encoded as ${encoding}, which cannot hold every text.`,
    { hint: "Create one with UTF8: createdb --encoding=UTF8 --template=template0 NAME" },
  );
