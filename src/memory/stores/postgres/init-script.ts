import {
  grantStatements,
  LOCK_SCHEMA,
  migrationStatements,
  OWNER,
  quoted,
} from "./schema/statements.js";

/**
 * SQL for `psql` that creates the schema and lets these roles use it. An administrator runs it as a
 * superuser, or as a role that may create roles, and schemas in this database. It changes nothing
 * if the schema exists.
 */
export const initScript = (roles: readonly string[]): string =>
  script("Makes the memory of agno-chat in the database that psql is connected to.", [
    LOCK_SCHEMA,
    `DO $$ BEGIN
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'agno-chat needs a database encoded as UTF8';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${OWNER}') THEN
    CREATE ROLE ${OWNER} NOLOGIN;
  END IF;
END $$`,
    becomeMember(OWNER),
    `CREATE SCHEMA agno_chat AUTHORIZATION ${OWNER}`,
    `SET LOCAL ROLE ${OWNER}`,
    ...migrationStatements(0),
    ...roles.flatMap(grantStatements),
    "RESET ROLE",
    leave(OWNER),
  ]);

/** The SQL that lets these roles use an existing schema, which `owner` owns. */
export const grantScript = (owner: string, roles: readonly string[]): string =>
  script("Lets roles use the memory of agno-chat, and do nothing else.", [
    becomeMember(owner),
    `SET LOCAL ROLE ${quoted(owner)}`,
    ...roles.flatMap(grantStatements),
    "RESET ROLE",
    leave(owner),
  ]);

const script = (title: string, statements: readonly string[]): string =>
  [
    `-- ${title}`,
    "BEGIN;",
    ...statements.map((statement) => `${statement.trim().replace(/;$/, "")};`),
    "COMMIT;",
    "",
  ].join("\n");

/** A superuser may act as any role without being a member. */
const becomeMember = (owner: string): string => `DO $$ BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RETURN;
  ELSIF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT ${quoted(owner)} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE';
  ELSE
    GRANT ${quoted(owner)} TO CURRENT_USER;
  END IF;
END $$`;

const leave = (owner: string): string => `DO $$ BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    REVOKE ${quoted(owner)} FROM CURRENT_USER;
  END IF;
END $$`;
