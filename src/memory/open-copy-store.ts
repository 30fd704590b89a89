import type { CopyStore } from "./copy-store.js";
import { type LastingKind, parseLastingSpec } from "./store-spec.js";

interface OpenOptions {
  readonly notice: (line: string) => void;
}

/** Each loads its implementation on first use. */
const OPENERS: Readonly<
  Record<LastingKind, (location: string, options: OpenOptions) => Promise<CopyStore>>
> = {
  sqlite: async (path, options) =>
    new (await import("./stores/sqlite/sqlite-store.js")).SqliteStore(path, options),
  postgres: async (url) =>
    new (await import("./stores/postgres/postgres-store.js")).PostgresStore(url),
};

/**
 * Opens the store that `spec` names. Nothing is read or written before the first call.
 * @throws {AgnoChatError} `STORE_UNKNOWN`, `USAGE` for `memory:`
 */
export async function openCopyStore(spec: string, options: OpenOptions): Promise<CopyStore> {
  const { kind, location } = parseLastingSpec(spec);
  return OPENERS[kind](location, options);
}
