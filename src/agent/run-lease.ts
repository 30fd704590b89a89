import { type Cancellation, pause, untilAborted } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import { leaseLost } from "../memory/failures.js";
import { LEASE_MS } from "../memory/leases.js";
import type { Admission, Claim, Lease, Leased, Leases, Snapshot } from "../memory/memory.js";
import type { OnBusy } from "./queue.js";

/** How soon a run asks again while another process has the lease: first, and at most. */
const FIRST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 250;

/** Where an agent takes leases, and what its runs do while somebody else has one. */
export interface LeaseSource {
  readonly leases: Leases;
  readonly onBusy: OnBusy;
}

/** The run that takes a lease. */
export interface LeaseTaker {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  /** How many messages to read. */
  readonly limit: number;
  /** Admits the run in the trip that takes the lease. */
  readonly admission: Admission | undefined;
  /** Ends the wait; and ends the run if it loses the lease. */
  readonly cancellation: Cancellation;
  /** Called before each attempt, one of which reads. */
  readonly onAttempt: () => void;
}

/** The right of one run to be the only one in its session, over all processes. Renews itself. */
export class RunLease {
  readonly lease: Lease;
  /** The session as it was when the lease was taken. */
  readonly snapshot: Snapshot;
  readonly #leases: Leases;
  readonly #timer: NodeJS.Timeout;

  private constructor(leases: Leases, { lease, snapshot }: Leased, cancellation: Cancellation) {
    this.lease = lease;
    this.snapshot = snapshot;
    this.#leases = leases;
    this.#timer = setInterval(() => void this.#renew(cancellation), LEASE_MS / 3).unref();
  }

  /**
   * Waits until nobody else has it.
   * @throws {AgnoChatError} `BUSY` if `onBusy` is `reject`
   * @throws the reason of the cancellation
   */
  static async take({ leases, onBusy }: LeaseSource, taker: LeaseTaker): Promise<RunLease> {
    const { userId, sessionId, limit, admission, cancellation, onAttempt } = taker;
    const claim = { userId, sessionId, holder: crypto.randomUUID() };
    let attempt: Promise<Leased | undefined> | undefined;
    try {
      for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
        onAttempt();
        attempt = leases.take(claim, { limit, admission });
        const taken = await untilAborted(attempt, cancellation);
        if (taken !== undefined) return new RunLease(leases, taken, cancellation);
        if (onBusy === "reject") throw busyElsewhere();
        await pause(wait * (0.5 + Math.random()), cancellation.signal);
      }
    } catch (thrown) {
      // An attempt under way may still take it.
      void Promise.allSettled([attempt]).then(() => release(leases, claim));
      throw thrown;
    }
  }

  /** Renews it no longer, and gives it back unless the commit has. */
  end({ isStored }: { readonly isStored: boolean }): void {
    clearInterval(this.#timer);
    if (!isStored) void release(this.#leases, this.lease);
  }

  async #renew(cancellation: Cancellation): Promise<void> {
    // If it cannot be asked, the commit will tell.
    const isHeld = await this.#leases.renew(this.lease).catch(() => true);
    if (!isHeld) cancellation.abort(leaseLost(this.lease.userId));
  }
}

/** Whatever goes wrong, it ends in a while by itself. */
const release = (leases: Leases, claim: Claim): Promise<void> =>
  leases.release(claim).catch(() => undefined);

const busyElsewhere = () =>
  new AgnoChatError("BUSY", "This session already has a run under way on another server.", {
    hint: "Wait for the reply, then try again.",
  });
