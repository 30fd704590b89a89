import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { Memory } from "./memory.js";

type Opener = (rest: string, options: OpenMemoryOptions) => Promise<Memory>;

export interface OpenMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Takes one line when others could read or write a memory file. Default: nobody does. */
  readonly notice?: ((line: string) => void) | undefined;
}

const KEYS: KnownKeys<OpenMemoryOptions> = { now: true, notice: true };

/** What may stand before the colon; each opens its implementation only when asked for. */
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
 * The memory that `spec` names: `sqlite:PATH` (a file, relative to the working directory),
 * `postgres://USER:PASSWORD@HOST/DATABASE` or `memory:` (this process only). Nothing is read or written yet.
 * @throws {AgnoChatError} `STORE_UNKNOWN`, or `USAGE` for an unknown option
 */
export async function openMemory(spec: string, options: OpenMemoryOptions = {}): Promise<Memory> {
  refuseUnknownKeys(options, KEYS, "openMemory");
  const colon = spec.indexOf(":");
  const open = colon > 0 ? OPENERS.get(spec.slice(0, colon)) : undefined;
  if (open === undefined) throw unknown(spec);
  return open(spec.slice(colon + 1), options);
}

/** Names the scheme alone: what follows it may hold a password. */
function unknown(spec: string): AgnoChatError {
  const known = [...OPENERS.keys()];
  const hint = "Use memory:, sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.";
  const colon = spec.indexOf(":");
  if (colon === -1)
    return new AgnoChatError("STORE_UNKNOWN", "The memory has no kind before a colon.", { hint });
  const scheme = spec.slice(0, colon);
  const near = MEANT.get(scheme.toLowerCase()) ?? nearest(scheme, known);
  const suggestion = near === undefined ? "" : ` Did you mean ${near}:?`;
  const message = `Unknown memory ${JSON.stringify(`${scheme}:`)}.${suggestion}`;
  return new AgnoChatError("STORE_UNKNOWN", message, { hint });
}

/** What is not near by its letters. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ["", "memory"],
  ["file", "sqlite"],
  ["db", "sqlite"],
  ["pg", "postgres"],
]);
