import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { STORE_MEMORY_KEYS, StoreMemory, type StoreMemoryOptions } from "./store-memory.js";
import { SqliteStore, type SqliteStoreOptions } from "./stores/sqlite/sqlite-store.js";

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
  /** @throws {AgnoChatError} `USAGE` for an unknown option */
  constructor(path: string, options: SqliteMemoryOptions = {}) {
    refuseUnknownKeys(options, KEYS, "SqliteMemory");
    const { now, notice } = options;
    super(new SqliteStore(path, { notice }), { now });
  }
}
