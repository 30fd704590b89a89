import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { LazyStore } from "./lazy-store.js";
import { STORE_MEMORY_KEYS, StoreMemory, type StoreMemoryOptions } from "./store-memory.js";
import { pathOf } from "./stores/sqlite/path.js";
import type { SqliteStoreOptions } from "./stores/sqlite/sqlite-store.js";

export interface SqliteMemoryOptions extends StoreMemoryOptions, SqliteStoreOptions {}

const KEYS: KnownKeys<SqliteMemoryOptions> = { ...STORE_MEMORY_KEYS, notice: true };

/**
 * A memory in one SQLite file, which any number of processes may use at once. The file is opened on
 * first use. When `add` resolves, the messages are on disk.
 * @example
 * const memory = new SqliteMemory("history.db");
 * await memory.add(userMessage("Hello"), "alice");
 * console.log(await memory.size("alice")); // 1
 * await memory.close();
 */
export class SqliteMemory extends StoreMemory<false> {
  /**
   * @throws {AgnoChatError} `STORE_UNKNOWN` for what is no path, `USAGE` for an unknown option
   */
  constructor(path: string, options: SqliteMemoryOptions = {}) {
    refuseUnknownKeys(options, KEYS, "SqliteMemory");
    const { now, notice } = options;
    const file = pathOf(path);
    const load = async () => {
      const { SqliteStore } = await import("./stores/sqlite/sqlite-store.js");
      return new SqliteStore(file, { notice });
    };
    super(new LazyStore(load), { now });
  }
}
