import { refuseUnknownKeys } from "../options.js";
import { countOf } from "./arguments.js";
import { STORE_MEMORY_KEYS, StoreMemory, type StoreMemoryOptions } from "./store-memory.js";
import { InMemoryStore } from "./stores/in-memory/in-memory-store.js";

export type InMemoryOptions = StoreMemoryOptions;

/**
 * A memory in this process. Every method answers at once.
 *
 * With `maxMessages`, each user keeps at most so many messages over all sessions: the runs whose latest message is oldest
 * go first and whole, system messages stay, and the newest run stays however long it is. A session of which nothing
 * is left is forgotten.
 */
export class InMemory extends StoreMemory<true> {
  /** @throws {AgnoChatError} `INVALID_INPUT` for an invalid limit, `USAGE` for an unknown option */
  constructor(maxMessages = Infinity, options: InMemoryOptions = {}) {
    refuseUnknownKeys(options, STORE_MEMORY_KEYS, "InMemory");
    super(new InMemoryStore(countOf(maxMessages, "maxMessages")), options);
  }
}
