import { randomBytes } from "node:crypto";
import pg from "pg";

/** What `work` does with one connection. */
export async function connected<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Asks as whoever the URL names. */
export const ask = async <Row extends object>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> => connected(url, async (client) => (await client.query<Row>(sql, values)).rows);

export interface DatabaseOptions {
  /** The role that owns it, and so may make schemas in it. */
  readonly owner?: string;
  /** The ICU locale that sorts and compares its text by default. Default: byte by byte. */
  readonly icuLocale?: string | undefined;
}

/** A new database on the server; its URL, for the same role. */
export async function newDatabase(
  server: string,
  { owner = decodeURIComponent(new URL(server).username), icuLocale }: DatabaseOptions = {},
): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const locale =
    icuLocale === undefined
      ? ""
      : `TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE '${icuLocale}'`;
  await ask(server, `CREATE DATABASE ${name} OWNER "${owner}" ${locale}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export interface Role {
  readonly name: string;
  readonly password: string;
}

/** A new role that may log in, with these attributes. */
export async function newRole(server: string, attributes = ""): Promise<Role> {
  const name = `role_${randomBytes(6).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await ask(server, `CREATE ROLE ${name} LOGIN ${attributes} PASSWORD '${password}'`);
  return { name, password };
}

/** The URL for another role. */
export function asRole(url: string, { name, password }: Role): string {
  const changed = new URL(url);
  changed.username = name;
  changed.password = password;
  return changed.href;
}

/**
 * Leaves nothing in the memory, as only a superuser may. A few rows are deleted sooner than a table
 * is truncated; without triggers, which would look for what belongs to them.
 */
export const empty = (url: string): Promise<unknown> =>
  ask(
    url,
    `SET session_replication_role = replica;
     DO $$
     DECLARE name text;
     BEGIN
       FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'agno_chat' LOOP
         CONTINUE WHEN name IN ('meta', 'generations');
         EXECUTE format('DELETE FROM agno_chat.%I', name);
       END LOOP;
     END $$;
     UPDATE agno_chat.generations SET generation = 0, forgotten = 0`,
  );
