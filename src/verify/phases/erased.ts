import type { Finding } from "../finding.js";
import { finding, words } from "../judge.js";
import type { Ledger } from "../ledger.js";

/** Findings about cleared texts that are still among the bytes of a closed store. */
export function erased({ canaries }: Ledger, bytes: Uint8Array): Finding[] {
  const content = Buffer.from(bytes);
  return canaries.all
    .filter(({ text, owner }) => owner.cleared && content.includes(text))
    .map((canary) => {
      const { owner: run, kind } = canary;
      const text = `a cleared ${words(kind)} is still in the bytes of the store`;
      const sighting = { check: "erased", by: run, door: "memory.clear" } as const;
      return finding("not-cleared", sighting, { where: "bytes", run, canary, text });
    });
}
