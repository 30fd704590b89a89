import { AgnoChatError } from "../errors.js";
import type { Migrated } from "./store-report.js";
import { type LastingKind, parseLastingSpec } from "./store-spec.js";

const MIGRATIONS: Readonly<Record<LastingKind, (location: string) => Promise<Migrated>>> = {
  sqlite: async (path) => (await import("./stores/sqlite/migrate.js")).migrateSqlite(path),
  postgres: migratePostgres,
};

/**
 * Brings the schema of the store that `spec` names to the latest version.
 * @throws {AgnoChatError} `STORE_…`, `USAGE` for `memory:`
 */
export async function migrateStore(spec: string): Promise<Migrated> {
  const { kind, location } = parseLastingSpec(spec);
  return MIGRATIONS[kind](location);
}

async function migratePostgres(url: string): Promise<Migrated> {
  const admin = await import("./stores/postgres/admin.js");
  try {
    return await admin.migratePostgres(url);
  } catch (error) {
    throw admin.wasDenied(error) ? denied(error) : error;
  }
}

const denied = (cause: unknown): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", "This role may not change the schema.", {
    hint: "Let an administrator of the database run: agno-chat store migrate URL",
    cause,
  });
