import { StoreMemory, type StoreMemoryOptions } from "./store-memory.js";
import { SqliteStore, type SqliteStoreOptions } from "./stores/sqlite/sqlite-store.js";

export interface SqliteMemoryOptions extends StoreMemoryOptions, SqliteStoreOptions {}

/**
 * A memory in one SQLite file, which any number of processes may use at once. It opens on first use; an `add` that has
 * answered is on disk.
 */
export class SqliteMemory extends StoreMemory<false> {
  constructor(path: string, options: SqliteMemoryOptions = {}) {
    super(new SqliteStore(path, options), options);
  }
}
