import { refuseUnknownKeys } from "../options.js";
import { LazyLeasedStore } from "./lazy-store.js";
import { STORE_MEMORY_KEYS, StoreMemory, type StoreMemoryOptions } from "./store-memory.js";
import { parseDatabaseUrl } from "./stores/postgres/url.js";

/**
 * A memory in a PostgreSQL database, which any number of processes and machines may use at once. It
 * connects on first use; an `add` that has answered is committed.
 * @example
 * const memory = new PostgresMemory("postgres://chat:secret@db.example/chat");
 * const agent = new Agent({ model: new DemoModel(), memory });
 */
export class PostgresMemory extends StoreMemory<false> {
  /**
   * @param url `postgres://USER:PASSWORD@HOST:PORT/DATABASE`
   * @throws {AgnoChatError} `STORE_UNKNOWN` for what is no such URL, `USAGE` for an unknown option
   */
  constructor(url: string, options: StoreMemoryOptions = {}) {
    refuseUnknownKeys(options, STORE_MEMORY_KEYS, "PostgresMemory");
    parseDatabaseUrl(url); // a wrong one must not wait for the first call
    const load = async () => {
      const { PostgresStore } = await import("./stores/postgres/postgres-store.js");
      return new PostgresStore(url);
    };
    super(new LazyLeasedStore(load), options);
  }
}
