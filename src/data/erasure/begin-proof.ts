import type { LastingKind, StoreSpec } from "../../memory/store-spec.js";
import type { Proof, ProofScope } from "./proof.js";

type Begin = (location: string, scope: ProofScope) => Promise<Proof>;

const KINDS: Readonly<Record<LastingKind, Begin>> = {
  sqlite: async (path, scope) => (await import("./file-proof.js")).FileProof.before(path, scope),
  postgres: async (url, scope) =>
    (await import("./database-proof.js")).DatabaseProof.before(url, scope),
};

/**
 * Reads what is about to be deleted from the store of this kind.
 * @throws {AgnoChatError} `STORE_…`
 */
export const beginProof = (
  { kind, location }: StoreSpec<LastingKind>,
  scope: ProofScope,
): Promise<Proof> => KINDS[kind](location, scope);
