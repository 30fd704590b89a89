import {
  ACT_AS_OWNER,
  CREATE_SCHEMA,
  grantStatements,
  LEAVE_OWNER,
  LOCK_SCHEMA,
  migrationStatements,
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
END $$`,
    CREATE_SCHEMA,
    ...migrationStatements(0),
    ...roles.flatMap(grantStatements),
    LEAVE_OWNER,
  ]);

/** The SQL that lets these roles use an existing schema. */
export const grantScript = (roles: readonly string[]): string =>
  script("Lets roles use the memory of agno-chat, and do nothing else.", [
    ACT_AS_OWNER,
    ...roles.flatMap(grantStatements),
    LEAVE_OWNER,
  ]);

const script = (title: string, statements: readonly string[]): string =>
  [
    `-- ${title}`,
    "BEGIN;",
    ...statements.map((statement) => `${statement.trim().replace(/;$/, "")};`),
    "COMMIT;",
    "",
  ].join("\n");
