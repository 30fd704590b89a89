import { countOf, sessionIdOf, userIdOf } from "./arguments.js";
import { storeClosed } from "./failures.js";
import type { Claim, Leases } from "./memory.js";
import type { StoreLeases } from "./store.js";
import { checkedAdmission, RUN_MS } from "./user-limits.js";

/** How long a lease lasts unless it is renewed, in milliseconds. */
export const LEASE_MS = 30_000;

/** The leases of a store, for a memory over it. */
export function leasesOf(
  leases: StoreLeases,
  { isClosed }: { readonly isClosed: () => boolean },
): Leases {
  // The caller may be plain JavaScript.
  const checked = <Given extends Claim>(claim: Given): Given => {
    if (isClosed()) throw storeClosed();
    return { ...claim, userId: userIdOf(claim.userId), sessionId: sessionIdOf(claim) };
  };
  return {
    take: async (claim, { limit, admission } = {}) =>
      leases.take(checked(claim), {
        limit: countOf(limit, "limit"),
        ms: LEASE_MS,
        admission: admission && { ...checkedAdmission(admission), ms: RUN_MS },
      }),
    renew: async (lease) => leases.renew(checked(lease), { ms: LEASE_MS }),
    release: async (claim) => leases.release(checked(claim)),
  };
}
