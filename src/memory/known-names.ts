import type { NamesQuery } from "./copy-store.js";
import { type LastingKind, parseStoreSpec } from "./store-spec.js";

/** Each loads its implementation on first use. */
const READERS: Readonly<
  Record<LastingKind, (location: string, query: NamesQuery) => Promise<readonly string[]>>
> = {
  sqlite: async (path, query) => (await import("./stores/sqlite/names.js")).namesIn(path, query),
  postgres: async (url, query) => (await import("./stores/postgres/names.js")).namesIn(url, query),
};

/**
 * The ids of users, or of one user's sessions, that begin with a prefix. For a shell that completes
 * words: the store is neither made nor brought to another schema nor written to, and a server is
 * not waited for long.
 * @throws {AgnoChatError} `STORE_…`, also if the store does not exist yet
 */
export async function knownNames(spec: string, query: NamesQuery): Promise<readonly string[]> {
  const { kind, location } = parseStoreSpec(spec);
  if (kind === "memory") return [];
  const names = await READERS[kind](location, query);
  return names.filter((name) => name.startsWith(query.prefix)).slice(0, query.limit);
}
