import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { Memory } from "./memory.js";

type Opener = (rest: string, options: OpenMemoryOptions) => Promise<Memory>;

export interface OpenMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Receives one line if other users could read or write a memory file. Default: ignored. */
  readonly notice?: ((line: string) => void) | undefined;
}

const KEYS: KnownKeys<OpenMemoryOptions> = { now: true, notice: true };

/** One opener per kind of memory, which loads its implementation on first use. */
const OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  [
    "memory",
    async (_rest, { now }) => new (await import("./in-memory.js")).InMemory(Infinity, { now }),
  ],
  [
    "sqlite",
    async (path, options) => new (await import("./sqlite.js")).SqliteMemory(path, options),
  ],
  ["postgres", openPostgres],
  ["postgresql", openPostgres],
]);

async function openPostgres(rest: string, { now }: OpenMemoryOptions): Promise<Memory> {
  return new (await import("./postgres.js")).PostgresMemory(`postgres:${rest}`, { now });
}

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
  const colon = spec.indexOf(":");
  const open = colon > 0 ? OPENERS.get(spec.slice(0, colon)) : undefined;
  if (open === undefined) throw unknown(spec);
  return open(spec.slice(colon + 1), options);
}

/** Quotes only the kind, because the rest may hold a password. */
function unknown(spec: string): AgnoChatError {
  const known = [...OPENERS.keys()];
  const hint = "Use memory:, sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.";
  const colon = spec.indexOf(":");
  if (colon === -1)
    return new AgnoChatError("STORE_UNKNOWN", "The memory does not name its kind.", { hint });
  const kind = spec.slice(0, colon);
  const near = ALIASES.get(kind.toLowerCase()) ?? nearest(kind, known);
  const suggestion = near === undefined ? "" : ` Did you mean ${near}:?`;
  const message = `Unknown memory ${JSON.stringify(`${kind}:`)}.${suggestion}`;
  return new AgnoChatError("STORE_UNKNOWN", message, { hint });
}

/** Likely names of the known kinds that are not spelt like them. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["", "memory"],
  ["file", "sqlite"],
  ["db", "sqlite"],
  ["pg", "postgres"],
]);
