import { ok, type StoreReport } from "./store-report.js";
import {
  type LastingKind,
  parseLastingSpec,
  parseStoreSpec,
  type StoreKind,
} from "./store-spec.js";

const CHECKS: Readonly<Record<StoreKind, (location: string) => Promise<StoreReport>>> = {
  memory: async () => ({
    store: "the memory of this process",
    findings: [ok("durability", "kept until this process ends; nothing to check")],
  }),
  sqlite: async (path) => (await import("./stores/sqlite/check.js")).checkSqlite(path),
  postgres: async (url) => (await import("./stores/postgres/admin.js")).checkPostgres(url),
};

const REQUIREMENTS: Readonly<Record<LastingKind, (location: string) => Promise<void>>> = {
  sqlite: async (path) => (await import("./stores/sqlite/check.js")).requireSqlite(path),
  postgres: async (url) => (await import("./stores/postgres/admin.js")).requirePostgres(url),
};

/**
 * Looks at the store that `spec` names, and changes nothing.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function checkStore(spec: string): Promise<StoreReport> {
  const { kind, location } = parseStoreSpec(spec);
  return CHECKS[kind](location);
}

/**
 * Resolves if the store that `spec` names is there. Unlike opening it, this never makes one.
 * @throws {AgnoChatError} `STORE_…`; `STORE_NOT_READY` if there is none; `USAGE` for `memory:`
 */
export async function requireStore(spec: string): Promise<void> {
  const { kind, location } = parseLastingSpec(spec);
  return REQUIREMENTS[kind](location);
}
