import { resolve } from "node:path";
import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { Memory } from "./memory.js";

type Opener = (rest: string, options: OpenMemoryOptions) => Promise<Memory>;

export interface OpenMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** What may stand before the colon; each opens its implementation only when asked for. */
const OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  [
    "memory",
    async (_rest, options) => new (await import("./in-memory.js")).InMemory(Infinity, options),
  ],
  [
    "sqlite",
    async (path, options) =>
      new (await import("./sqlite.js")).SqliteMemory(resolve(pathOf(path)), options),
  ],
]);

/**
 * The memory that `spec` names: `sqlite:PATH` (a file, relative to the working directory) or `memory:` (this process only).
 * Nothing is read or written yet.
 * @throws {AgnoChatError} `STORE_UNKNOWN`
 */
export async function openMemory(spec: string, options: OpenMemoryOptions = {}): Promise<Memory> {
  const colon = spec.indexOf(":");
  const open = colon > 0 ? OPENERS.get(spec.slice(0, colon)) : undefined;
  if (open === undefined) throw unknown(colon > 0 ? spec.slice(0, colon) : "");
  return open(spec.slice(colon + 1), options);
}

function pathOf(path: string): string {
  if (path !== "") return path;
  throw new AgnoChatError("STORE_UNKNOWN", "The memory sqlite: names no file.", {
    hint: "Use sqlite:PATH, for example sqlite:history.db.",
  });
}

/** Names the scheme alone: what follows it may hold a password. */
function unknown(scheme: string): AgnoChatError {
  const known = [...OPENERS.keys()];
  const near = nearest(scheme, known);
  const suggestion = near === undefined ? "" : ` Did you mean ${near}:?`;
  return new AgnoChatError(
    "STORE_UNKNOWN",
    `Unknown memory ${JSON.stringify(`${scheme}:`)}.${suggestion}`,
    {
      hint: `Use one of ${known.map((name) => `${name}:`).join(" and ")}, for example sqlite:history.db.`,
    },
  );
}
