import type { CopyStore } from "./copy-store.js";
import { parseLastingSpec } from "./store-spec.js";

/**
 * Opens the store that `spec` names. Nothing is read or written before the first call.
 * @throws {AgnoChatError} `STORE_UNKNOWN`, `USAGE` for `memory:`
 */
export async function openCopyStore(
  spec: string,
  options: { readonly notice: (line: string) => void },
): Promise<CopyStore> {
  const { kind, location } = parseLastingSpec(spec);
  if (kind === "sqlite")
    return new (await import("./stores/sqlite/sqlite-store.js")).SqliteStore(location, options);
  return new (await import("./stores/postgres/postgres-store.js")).PostgresStore(location);
}
