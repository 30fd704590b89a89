import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";

export type StoreKind = "memory" | "sqlite" | "postgres";

/** The kinds that outlive the process. */
export type LastingKind = Exclude<StoreKind, "memory">;

const KINDS: ReadonlyMap<string, StoreKind> = new Map([
  ["memory", "memory"],
  ["sqlite", "sqlite"],
  ["postgres", "postgres"],
  ["postgresql", "postgres"],
]);

export interface StoreSpec<Kind extends StoreKind = StoreKind> {
  readonly kind: Kind;
  /** What a store of this kind is opened with: a path, or the whole URL of a database. */
  readonly location: string;
}

/** @throws {AgnoChatError} `STORE_UNKNOWN` */
export function parseStoreSpec(spec: string): StoreSpec {
  const colon = spec.indexOf(":");
  const kind = colon > 0 ? KINDS.get(spec.slice(0, colon)) : undefined;
  if (kind === undefined) throw unknown(spec);
  return { kind, location: kind === "postgres" ? spec : spec.slice(colon + 1) };
}

/**
 * The same for a store that outlives this process.
 * @throws {AgnoChatError} `STORE_UNKNOWN`, `USAGE` for `memory:`
 */
export function parseLastingSpec(spec: string): StoreSpec<LastingKind> {
  const { kind, location } = parseStoreSpec(spec);
  if (kind !== "memory") return { kind, location };
  throw new AgnoChatError("USAGE", "memory: keeps nothing after this process.", {
    hint: "Name sqlite:PATH or postgres://USER@HOST/DATABASE.",
  });
}

/** Quotes only the kind, because the rest may hold a password. */
function unknown(spec: string): AgnoChatError {
  const known = [...KINDS.keys()];
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
