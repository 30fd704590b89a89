import { MIGRATIONS } from "../schema.js";

/** The role that owns the schema. Row security applies to it, and nobody can log in as it. */
export const OWNER = "agno_chat_owner";

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
