import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { InMemory } from "./in-memory.js";
import type { Memory } from "./memory.js";
import { PostgresMemory } from "./postgres.js";
import { SqliteMemory } from "./sqlite.js";
import { parseStoreSpec, type StoreKind } from "./store-spec.js";

type Opener = (location: string, options: OpenMemoryOptions) => Memory;

export interface OpenMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Receives one line if other users could read or write a memory file. Default: ignored. */
  readonly notice?: ((line: string) => void) | undefined;
}

const KEYS: KnownKeys<OpenMemoryOptions> = { now: true, notice: true };

const OPENERS: Readonly<Record<StoreKind, Opener>> = {
  memory: (_location, { now }) => new InMemory(Infinity, { now }),
  sqlite: (path, options) => new SqliteMemory(path, options),
  postgres: (url, { now }) => new PostgresMemory(url, { now }),
};

/**
 * Opens the memory that `spec` names: `sqlite:PATH` (a file, relative to the working directory),
 * `postgres://USER:PASSWORD@HOST/DATABASE` or `memory:` (this process only). Nothing is read or
 * written before the first call.
 * @example
 * const memory = await openMemory("sqlite:history.db", { notice: console.error });
 * const agent = new Agent({ model: new DemoModel(), memory });
 * await agent.run("My name is Alice", { userId: "alice" });
 * await memory.close();
 * @throws {AgnoChatError} `STORE_UNKNOWN`, or `USAGE` for an unknown option
 */
export async function openMemory(spec: string, options: OpenMemoryOptions = {}): Promise<Memory> {
  refuseUnknownKeys(options, KEYS, "openMemory");
  const { kind, location } = parseStoreSpec(spec);
  return OPENERS[kind](location, options);
}
