import { refuseUnknownKeys } from "../options.js";
import { countOf } from "./arguments.js";
import { STORE_MEMORY_KEYS, StoreMemory, type StoreMemoryOptions } from "./store-memory.js";
import { InMemoryStore } from "./stores/in-memory/in-memory-store.js";

export type InMemoryOptions = StoreMemoryOptions;

/**
 * A memory in this process. Its methods return values, not promises.
 *
 * With `maxMessages`, each user keeps at most that many messages over all sessions. Whole runs are
 * dropped, first the one whose latest message is oldest. System messages are kept, and so is the
 * newest run, even if it is longer than the limit. A session with nothing left is removed.
 * @example
 * const memory = new InMemory(100);
 * memory.add(userMessage("Hello"), "alice");
 * console.log(memory.getMessages("alice")[0]?.content); // Hello
 * console.log(memory.size("bob")); // 0
 */
export class InMemory extends StoreMemory<true> {
  /** @throws {AgnoChatError} `INVALID_INPUT` for an invalid limit, `USAGE` for an unknown option */
  constructor(maxMessages = Infinity, options: InMemoryOptions = {}) {
    refuseUnknownKeys(options, STORE_MEMORY_KEYS, "InMemory");
    super(new InMemoryStore(countOf(maxMessages, "maxMessages")), options);
  }
}
