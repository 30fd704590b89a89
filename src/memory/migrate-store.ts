import { AgnoChatError } from "../errors.js";
import { parseLastingSpec } from "./store-spec.js";

/**
 * Brings the schema of the store that `spec` names to the latest version. Resolves to
 * its versions before and after.
 * @throws {AgnoChatError} `STORE_…`, `USAGE` for `memory:`
 */
export async function migrateStore(
  spec: string,
): Promise<{ readonly from: number; readonly to: number }> {
  const { kind, location } = parseLastingSpec(spec);
  if (kind === "sqlite")
    return (await import("./stores/sqlite/migrate.js")).migrateSqlite(location);
  const admin = await import("./stores/postgres/admin.js");
  try {
    return await admin.migratePostgres(location);
  } catch (error) {
    throw admin.wasDenied(error) ? denied(error) : error;
  }
}

const denied = (cause: unknown): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", "This role may not change the schema.", {
    hint: "Let an administrator of the database run: agno-chat store migrate URL",
    cause,
  });
