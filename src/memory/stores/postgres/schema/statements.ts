import { MIGRATIONS } from "../schema.js";

/** Owns the schema, and is nobody: row security binds it, and nobody can log in as it. */
export const OWNER = "agno_chat_owner";

/** One at a time makes or changes the schema. */
export const LOCK_SCHEMA = `SELECT pg_advisory_xact_lock(${0x6167_6e6f})`;

/** For the owner: from this version of the schema to the latest. */
export const migrationStatements = (version: number, steps = MIGRATIONS): readonly string[] => [
  ...steps.slice(version),
  "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA agno_chat FROM PUBLIC",
  `UPDATE agno_chat.meta SET version = ${steps.length}`,
];

/** For the owner. A role that may call the functions needs no right to any table. */
export const grantStatements = (role: string): readonly string[] => [
  `GRANT USAGE ON SCHEMA agno_chat TO ${quoted(role)}`,
  `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agno_chat TO ${quoted(role)}`,
];

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
