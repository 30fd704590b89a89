import { MIGRATIONS } from "../schema.js";

/** The role that owns the schema. Row security applies to it, and nobody can log in as it. */
const OWNER = "agno_chat_owner";

/** From this version on, a member may act as a role only if the grant says so. */
const SET_IS_SAID = `current_setting('server_version_num')::int >= 160000`;

/** In PL/pgSQL: whether the current role must be a member of `owner` to act as that role. */
const MUST_BE_MEMBER = `owner <> current_user
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`;

const JOIN_OWNER = `IF ${MUST_BE_MEMBER} THEN
    EXECUTE format('GRANT %I TO CURRENT_USER', owner)
      || CASE WHEN ${SET_IS_SAID} THEN ' WITH SET TRUE, INHERIT FALSE' ELSE '' END;
  END IF;`;

/**
 * Creates the schema and acts as its owner: a role that nobody can log in as, if the current role
 * may create roles. Since version 16 such a role may not act as an owner that another role created
 * for another database of the server; then it creates a second one.
 */
export const CREATE_SCHEMA = `DO $$
DECLARE
  me pg_roles;
  owner text := current_user;
BEGIN
  SELECT * INTO me FROM pg_roles WHERE rolname = current_user;
  IF me.rolsuper OR me.rolcreaterole THEN
    owner := '${OWNER}';
    IF ${SET_IS_SAID} AND EXISTS (
        SELECT FROM pg_roles r WHERE r.rolname = owner
          AND NOT pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')) THEN
      owner := owner || '_' || (SELECT oid FROM pg_database WHERE datname = current_database());
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = owner) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', owner);
    END IF;
  END IF;
  ${JOIN_OWNER}
  EXECUTE format('CREATE SCHEMA agno_chat AUTHORIZATION %I', owner);
  EXECUTE format('SET LOCAL ROLE %I', owner);
END $$`;

const OWNER_OF_SCHEMA = `owner text := (
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'agno_chat');`;

/** Acts as the owner of the schema, as whose member the current role is entered. */
export const ACT_AS_OWNER = `DO $$
DECLARE
  ${OWNER_OF_SCHEMA}
BEGIN
  ${JOIN_OWNER}
  EXECUTE format('SET LOCAL ROLE %I', owner);
END $$`;

/** Acts as the role that logged in again, which is no longer a member of the owner. */
export const LEAVE_OWNER = `DO $$
DECLARE
  ${OWNER_OF_SCHEMA}
BEGIN
  RESET ROLE;
  IF ${MUST_BE_MEMBER} THEN
    EXECUTE format('REVOKE %I FROM CURRENT_USER', owner);
  END IF;
END $$`;

/** Held until the transaction ends, so that only one at a time changes the schema. */
export const LOCK_SCHEMA = `SELECT pg_advisory_xact_lock(${0x6167_6e6f})`;

/** The statements, run as the owner, from this schema version to the latest. */
export const migrationStatements = (version: number, steps = MIGRATIONS): readonly string[] => [
  ...steps.slice(version),
  "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA agno_chat FROM PUBLIC",
  `UPDATE agno_chat.meta SET version = ${steps.length}`,
];

/** Run as the owner. A role that may call the functions needs no privilege on a table. */
export const grantStatements = (role: string): readonly string[] => [
  `GRANT USAGE ON SCHEMA agno_chat TO ${quoted(role)}`,
  `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agno_chat TO ${quoted(role)}`,
];

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
