import { randomUUID } from "node:crypto";
import type { Ask, Database, Row } from "./client.js";

/** What a database reports about itself, its schema and the role that logs in. */
export interface Facts {
  readonly server: Server;
  readonly isBound: boolean;
  readonly version: number;
  readonly owner: Role;
  readonly login: Login;
  readonly tables: readonly Table[];
  readonly functions: Functions;
  /** Roles that may call the functions, without the owner. */
  readonly callers: readonly string[];
  /** Whether every role of the server may call the functions. */
  readonly isPublic: boolean;
  readonly hasPooler: boolean;
  readonly medians: Medians;
}

interface Server {
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  readonly collation: string;
  readonly isolation: string;
  readonly synchronousCommit: string;
  readonly fsync: string;
  readonly isReadOnly: boolean;
  readonly peer: Peer;
}

/** Who the server is connected to: this process, or a pooler. */
export interface Peer {
  /** Null if the server does not tell. */
  readonly isEncrypted: boolean | null;
  readonly isOnItsMachine: boolean;
}

interface Role {
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly bypassesRowSecurity: boolean;
  readonly mayLogIn: boolean;
}

interface Login extends Role {
  /** Whether it is the owner of the schema, or may act as the owner. */
  readonly isOwner: boolean;
}

interface Table {
  readonly name: string;
  readonly hasUsers: boolean;
  readonly isEnabled: boolean;
  readonly isForced: boolean;
  /** Conditions of its policies. */
  readonly policies: readonly string[];
  readonly mayBeRead: boolean;
}

interface Functions {
  /** Those that do not run as the owner of the schema. */
  readonly strangers: readonly string[];
}

/** In milliseconds. */
export interface Medians {
  readonly trip: number;
  /** Undefined when the functions do not work for this role. */
  readonly read: number | undefined;
}

const SAMPLES = 21;

/**
 * Looks at the database and changes nothing.
 * @throws {PostgresError}
 */
export function inspect(database: Database): Promise<Facts> {
  return database.session(async ({ ask, processId }) => {
    await ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { backend, ...server } = await serverOf(ask);
    const about = await one(ask, "SELECT version, is_bound FROM agno_chat.about_v1()");
    const [version, isBound] = about as readonly [number, boolean];
    const facts = {
      version,
      isBound,
      server,
      owner: await ownerOf(ask),
      login: await loginOf(ask),
      tables: await tablesOf(ask),
      functions: { strangers: await strangersOf(ask) },
      ...(await callersOf(ask)),
    };
    await ask("COMMIT");
    return { ...facts, hasPooler: backend !== processId, medians: await mediansOf(ask) };
  });
}

const one = async (ask: Ask, sql: string): Promise<Row> => (await ask(sql))[0] ?? [];

async function serverOf(ask: Ask): Promise<Server & { readonly backend: number }> {
  const row = await one(
    ask,
    `SELECT current_setting('server_version'), current_setting('server_version_num')::int,
            current_setting('server_encoding'),
            (SELECT datcollate FROM pg_database WHERE datname = current_database()),
            current_setting('default_transaction_isolation'),
            current_setting('synchronous_commit'), current_setting('fsync'),
            pg_is_in_recovery(), pg_backend_pid(),
            (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
            coalesce(inet_client_addr() = inet_server_addr(), true)`,
  );
  const [version, versionNumber, encoding, collation, isolation, ...rest] = row as readonly [
    ...[string, number, string, string, string, string, string, boolean, number],
    ...[boolean | null, boolean],
  ];
  const [synchronousCommit, fsync, isReadOnly, backend, isEncrypted, isOnItsMachine] = rest;
  return {
    ...{ version, versionNumber, encoding, collation, isolation },
    ...{ synchronousCommit, fsync, isReadOnly, backend },
    peer: { isEncrypted, isOnItsMachine },
  };
}

async function ownerOf(ask: Ask): Promise<Role> {
  const row = await one(
    ask,
    `SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcanlogin
     FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'agno_chat'`,
  );
  return roleIn(row);
}

async function loginOf(ask: Ask): Promise<Login> {
  const row = await one(
    ask,
    `SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcanlogin,
            NOT r.rolsuper AND pg_has_role(r.oid, n.nspowner, 'MEMBER')
     FROM pg_roles r, pg_namespace n WHERE r.rolname = current_user AND n.nspname = 'agno_chat'`,
  );
  return { ...roleIn(row), isOwner: row[4] as boolean };
}

function roleIn(row: Row): Role {
  const [name, isSuperuser, bypassesRowSecurity, mayLogIn] = row as readonly [
    string,
    boolean,
    boolean,
    boolean,
  ];
  return { name, isSuperuser, bypassesRowSecurity, mayLogIn };
}

async function tablesOf(ask: Ask): Promise<Table[]> {
  const rows = await ask(
    `SELECT c.relname,
            EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id'),
            c.relrowsecurity, c.relforcerowsecurity,
            array_to_json(ARRAY(
              SELECT pg_get_expr(p.polqual, p.polrelid) FROM pg_policy p WHERE p.polrelid = c.oid)),
            has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
     FROM pg_class c WHERE c.relnamespace = 'agno_chat'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
     ORDER BY c.relname`,
  );
  return rows.map((row) => {
    const [name, hasUsers, isEnabled, isForced, policies, mayBeRead] = row as readonly [
      ...[string, boolean, boolean, boolean, string[], boolean],
    ];
    return { name, hasUsers, isEnabled, isForced, policies, mayBeRead };
  });
}

async function strangersOf(ask: Ask): Promise<string[]> {
  const rows = await ask(
    `SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = 'agno_chat' AND NOT (p.prosecdef AND p.proowner = n.nspowner)
     ORDER BY p.proname`,
  );
  return rows.map(([name]) => name as string);
}

export async function callersOf(ask: Ask): Promise<Pick<Facts, "callers" | "isPublic">> {
  const rows = await ask(
    `SELECT x.grantee::bigint, pg_get_userbyid(x.grantee)
     FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) x
     WHERE n.nspname = 'agno_chat' AND x.privilege_type = 'USAGE' AND x.grantee <> n.nspowner
     ORDER BY 2`,
  );
  return {
    callers: rows.filter(([id]) => id !== 0).map(([, name]) => name as string),
    isPublic: rows.some(([id]) => id === 0),
  };
}

/** The medians of a bare round trip, and of a read for a user who does not exist. */
async function mediansOf(ask: Ask): Promise<Medians> {
  const nobody = randomUUID();
  return {
    trip: await medianOf(() => ask("SELECT 1")),
    read: await medianOf(() =>
      ask("SELECT * FROM agno_chat.read_v1($1, $2, $3)", [nobody, "default", 20]),
    ).catch(() => undefined),
  };
}

async function medianOf(work: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const start = performance.now();
    await work();
    samples.push(performance.now() - start);
  }
  const sorted = samples.sort((left, right) => left - right);
  return Math.round(1_000 * (sorted[(SAMPLES - 1) / 2] as number)) / 1_000;
}
