import { AgnoChatError } from "../errors.js";
import type { CopyStore } from "./copy-store.js";
import { parseStoreSpec } from "./store-spec.js";

/**
 * Opens the store that `spec` names. Nothing is read or written before the first call.
 * @throws {AgnoChatError} `STORE_UNKNOWN`, `USAGE` for `memory:`
 */
export async function openCopyStore(
  spec: string,
  options: { readonly notice: (line: string) => void },
): Promise<CopyStore> {
  const { kind, location } = parseStoreSpec(spec);
  if (kind === "sqlite")
    return new (await import("./stores/sqlite/sqlite-store.js")).SqliteStore(location, options);
  if (kind === "postgres")
    return new (await import("./stores/postgres/postgres-store.js")).PostgresStore(location);
  throw new AgnoChatError("USAGE", "memory: keeps nothing after this process.", {
    hint: "Name sqlite:PATH or postgres://USER@HOST/DATABASE.",
  });
}
