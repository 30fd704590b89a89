import type { Finding } from "../finding.js";
import type { Ledger } from "../ledger.js";

/** Findings about cleared texts that are still among the bytes of a closed store. */
export function erased({ canaries }: Ledger, bytes: Uint8Array): Finding[] {
  const content = Buffer.from(bytes);
  return canaries.all
    .filter(({ text, owner }) => owner.cleared && content.includes(text))
    .map(({ text, kind, owner }) => {
      const of = { userId: owner.userId, sessionId: owner.sessionId };
      const found = { check: "erased", kind: "not-cleared", by: of, of } as const;
      const words = `a cleared ${kind.replace("-", " ")} is still in the bytes of the store`;
      const place = { door: "memory.clear", where: "bytes", run: owner.number };
      return { ...found, ...place, canary: text, text: words };
    });
}
