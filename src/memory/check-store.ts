import { ok, type StoreReport } from "./store-report.js";
import { parseStoreSpec, type StoreKind } from "./store-spec.js";

const CHECKS: Readonly<Record<StoreKind, (location: string) => Promise<StoreReport>>> = {
  memory: async () => ({
    store: "the memory of this process",
    findings: [ok("durability", "kept until this process ends; nothing to check")],
  }),
  sqlite: async (path) => (await import("./stores/sqlite/check.js")).checkSqlite(path),
  postgres: async (url) => (await import("./stores/postgres/admin.js")).checkPostgres(url),
};

/**
 * Looks at the store that `spec` names, and changes nothing.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function checkStore(spec: string): Promise<StoreReport> {
  const { kind, location } = parseStoreSpec(spec);
  return CHECKS[kind](location);
}
