import type { UserId } from "../../../ids.js";
import {
  dayOf,
  limitsNothing,
  limitsOver,
  MINUTE_MS,
  refuseOver,
  setUseOf,
  type UsedLimits,
  useOf,
  waitsAt,
} from "../../limits.js";
import type { Admission, Limits, LimitUse, Snapshot, Spent, UserWithLimits } from "../../memory.js";
import type { At, LeaseTime, StoreLimits, Window } from "../../store.js";

interface Spending {
  day: number;
  tokens: number;
  /** When the current minute of requests began. */
  minute: number;
  requests: number;
  /** When each run under way stops counting, by run id. */
  readonly runs: Map<string, number>;
}

/** The part of a store that limits need. */
export interface LimitedStore {
  read(userId: UserId, window: Window): Snapshot;
  bytesOf(userId: UserId): number;
}

/** Counts in this process what users use. */
export class InMemoryLimits implements StoreLimits {
  readonly #store: LimitedStore;
  readonly #own = new Map<UserId, Limits>();
  readonly #spending = new Map<UserId, Spending>();

  constructor(store: LimitedStore) {
    this.#store = store;
  }

  admit(userId: UserId, admission: Window & Admission & LeaseTime & At): Snapshot {
    const { runId, time, ms } = admission;
    const limits = limitsOver(this.#own.get(userId), admission.limits);
    if (limitsNothing(limits)) return this.#store.read(userId, admission);
    const spending = this.#spendingOf(userId, time);
    if (!spending.runs.has(runId)) {
      refuseOver(this.#used(userId, spending), limits, waitsAt(time, spending.minute));
      if (spending.requests === 0) spending.minute = time;
      spending.requests += 1;
    }
    spending.runs.set(runId, time + ms);
    return {
      ...this.#store.read(userId, admission),
      use: setUseOf(this.#used(userId, spending), limits),
    };
  }

  renew(userId: UserId, { runId, time, ms }: Pick<Admission, "runId"> & LeaseTime & At): void {
    const runs = this.#spending.get(userId)?.runs;
    if (runs?.has(runId)) runs.set(runId, time + ms);
  }

  settle(userId: UserId, { runId, tokens, time }: Spent & At): void {
    const spending = this.#spendingOf(userId, time);
    spending.runs.delete(runId);
    spending.tokens += tokens;
  }

  use(userId: UserId, { limits, time }: { readonly limits: Limits } & At): LimitUse[] {
    const used = this.#used(userId, this.#spendingOf(userId, time));
    return useOf(used, limitsOver(this.#own.get(userId), limits));
  }

  list(): UserWithLimits[] {
    return [...this.#own]
      .map(([userId, limits]) => ({ userId, limits }))
      .sort((left, right) => (left.userId < right.userId ? -1 : 1));
  }

  set(userId: UserId, limits: Limits): void {
    this.#own.set(userId, limitsOver(limits, this.#own.get(userId) ?? {}));
  }

  remove(userId: UserId): boolean {
    return this.#own.delete(userId);
  }

  forgetBefore(day: number): void {
    for (const [userId, spending] of this.#spending)
      if (spending.day < day && spending.runs.size === 0) this.#spending.delete(userId);
  }

  #used(userId: UserId, { tokens, requests, runs }: Spending): UsedLimits {
    return {
      tokensPerDay: tokens,
      requestsPerMinute: requests,
      runsAtOnce: runs.size,
      bytesKept: this.#store.bytesOf(userId),
    };
  }

  /** What still counts at this time. */
  #spendingOf(userId: UserId, time: number): Spending {
    const day = dayOf(time);
    let spending = this.#spending.get(userId);
    if (spending === undefined) {
      spending = { day, tokens: 0, minute: time, requests: 0, runs: new Map() };
      this.#spending.set(userId, spending);
    }
    if (spending.day !== day) Object.assign(spending, { day, tokens: 0 });
    if (Math.abs(time - spending.minute) >= MINUTE_MS)
      Object.assign(spending, { minute: time, requests: 0 });
    for (const [runId, end] of spending.runs) if (end <= time) spending.runs.delete(runId);
    return spending;
  }
}
