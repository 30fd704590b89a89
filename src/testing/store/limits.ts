import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type UserId, validateUserId } from "../../ids.js";
import type { Awaitable, LimitName, Limits, Snapshot } from "../../memory/memory.js";
import type { Commit, Store, StoreLimits } from "../../memory/store.js";
import { commit, row, type StoreChecks, type StoreFixture, WINDOW } from "./store-fixture.js";

/** A time in the middle of a UTC day. A database uses its own clock instead. */
const NOON = 20_000.5 * 86_400_000;

/** Runs of one user under the same limits. */
class Runs {
  readonly #limits: StoreLimits;
  readonly #userId: UserId;
  readonly #everybody: Limits;

  constructor(limits: StoreLimits, userId: UserId, everybody: Limits) {
    this.#limits = limits;
    this.#userId = userId;
    this.#everybody = everybody;
  }

  async admit(runId: string = randomUUID(), { time = NOON, ms = 30_000 } = {}): Promise<Snapshot> {
    const run = { ...WINDOW, runId, limits: this.#everybody, time, ms };
    return this.#limits.admit(this.#userId, run);
  }

  /** Refused with this code; resolves to the seconds until it may be admitted. */
  async refused(code: string): Promise<number | undefined> {
    let seconds: number | undefined;
    await assert.rejects(this.admit(), (error: { code?: string; retryAfter?: number }) => {
      seconds = error.retryAfter;
      return error.code === code;
    });
    return seconds;
  }

  async used(name: LimitName): Promise<number | undefined> {
    const use = await this.#limits.use(this.#userId, { limits: this.#everybody, time: NOON });
    return use.find(({ limit }) => limit === name)?.used;
  }

  async settle(runId: string, tokens: number): Promise<void> {
    await this.#limits.settle(this.#userId, { runId, tokens, time: NOON });
  }
}

/**
 * Users of one check. What they may use and have used outlives every delete, so that the next check
 * on the same store needs others.
 */
class Users {
  readonly alice = validateUserId(`alice-${randomUUID()}`);
  readonly bob = validateUserId(`bob-${randomUUID()}`);

  /** A commit of alice. */
  commit(parts: Partial<Commit>): Commit {
    return commit({ userId: this.alice, ...parts });
  }
}

/** A store without limits passes them all. */
const limited =
  (check: (limits: StoreLimits, store: Store, users: Users) => Awaitable<void>) =>
  async ({ store }: StoreFixture): Promise<void> => {
    if (store.limits === undefined) return;
    const users = new Users();
    await check(store.limits, store, users);
    for (const userId of [users.alice, users.bob]) await store.limits.remove(userId);
  };

export const limits: StoreChecks = {
  "reads what read reads, and says nothing of limits to a user without any": limited(
    async (limits, store, users) => {
      await store.write(users.commit({ messages: [row("1"), row("2")], state: [["key", "1"]] }));
      const read = structuredClone(await store.read(users.alice, WINDOW));
      assert.deepEqual(structuredClone(await new Runs(limits, users.alice, {}).admit()), read);
      const { use, ...admitted } = await new Runs(limits, users.alice, { runsAtOnce: 3 }).admit();
      assert.deepEqual(structuredClone(admitted), read);
      assert.deepEqual(use, [{ limit: "runsAtOnce", used: 1, allowed: 3 }]);
    },
  ),

  "admits as many runs a minute as are allowed, and counts no run that it refuses": limited(
    async (limits, _, users) => {
      const runs = new Runs(limits, users.alice, { requestsPerMinute: 2 });
      await runs.admit();
      await runs.admit();
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const seconds = Number(await runs.refused("RATE_LIMITED"));
        assert.ok(seconds >= 1 && seconds <= 60);
      }
      assert.equal(await runs.used("requestsPerMinute"), 2);
      assert.equal(await runs.used("runsAtOnce"), 2);
    },
  ),

  "counts a run as under way until it is settled, in a write or on its own": limited(
    async (limits, store, users) => {
      const runs = new Runs(limits, users.alice, { runsAtOnce: 1 });
      const [first, second] = [randomUUID(), randomUUID()];
      await runs.admit(first);
      assert.equal(await runs.refused("BUSY"), 1);
      const spent = { runId: first, tokens: 7 };
      assert.ok(Array.isArray(await store.write(users.commit({ messages: [row("1")], spent }))));
      await runs.admit(second);
      await runs.settle(second, 5);
      await runs.admit();
      assert.equal(await runs.used("runsAtOnce"), 1);
    },
  ),

  "settles nothing with a write that stores nothing": limited(async (limits, store, users) => {
    const runs = new Runs(limits, users.alice, { runsAtOnce: 1 });
    const spent = { runId: randomUUID(), tokens: 7 };
    await runs.admit(spent.runId);
    const conflict = users.commit({ expected: [["key", "1"]], spent, time: NOON });
    assert.equal(await store.write(conflict), "STATE_CONFLICT");
    assert.equal(await runs.used("runsAtOnce"), 1);
    assert.equal(await runs.used("tokensPerDay"), 0);
  }),

  "counts a run no longer as under way when its time is over, unless it was renewed": limited(
    async (limits, _, users) => {
      const runs = new Runs(limits, users.alice, { runsAtOnce: 1 });
      await runs.admit(randomUUID(), { ms: 0 });
      const kept = randomUUID();
      await runs.admit(kept);
      await limits.renew(users.alice, { runId: kept, time: NOON + 20_000, ms: 30_000 });
      await assert.rejects(runs.admit(randomUUID(), { time: NOON + 40_000 }), { code: "BUSY" });
    },
  ),

  "counts a run once that asks again": limited(async (limits, _, users) => {
    const runs = new Runs(limits, users.alice, { requestsPerMinute: 1, runsAtOnce: 1 });
    const runId = randomUUID();
    const [once, again] = [await runs.admit(runId), await runs.admit(runId)];
    assert.deepEqual(again.use, once.use);
    assert.equal(await runs.used("requestsPerMinute"), 1);
  }),

  "refuses runs once the tokens of the day are used up": limited(async (limits, store, users) => {
    const runs = new Runs(limits, users.alice, { tokensPerDay: 10 });
    const [first, second] = [randomUUID(), randomUUID()];
    await runs.admit(first);
    await store.write(users.commit({ spent: { runId: first, tokens: 9 }, time: NOON }));
    assert.deepEqual((await runs.admit(second)).use, [
      { limit: "tokensPerDay", used: 9, allowed: 10 },
    ]);
    await runs.settle(second, 5);
    const seconds = Number(await runs.refused("BUDGET"));
    assert.ok(seconds >= 1 && seconds <= 86_400);
    assert.equal(await runs.used("tokensPerDay"), 14);
  }),

  "counts the tokens of a user without limits, too": limited(async (limits, _, users) => {
    const runs = new Runs(limits, users.alice, {});
    await runs.settle(randomUUID(), 3);
    await runs.settle(randomUUID(), 4);
    assert.equal(await runs.used("tokensPerDay"), 7);
  }),

  "refuses runs while more bytes are kept than allowed": limited(async (limits, store, users) => {
    await store.write(users.commit({ messages: [row("some text")] }));
    const [session] = await store.sessions(users.alice);
    const bytes = Number(session?.bytes);
    await new Runs(limits, users.alice, { bytesKept: bytes + 1 }).admit();
    const full = new Runs(limits, users.alice, { bytesKept: bytes });
    assert.equal(await full.refused("BUDGET"), undefined);
    assert.equal(await full.used("bytesKept"), bytes);
    await store.delete(users.alice, { sessionId: undefined, time: NOON });
    await full.admit();
  }),

  "lets nobody use up what another user may use": limited(async (limits, store, users) => {
    const everybody = { requestsPerMinute: 1, runsAtOnce: 1, tokensPerDay: 1, bytesKept: 1 };
    const [alice, bob] = [
      new Runs(limits, users.alice, everybody),
      new Runs(limits, users.bob, everybody),
    ];
    const spent = { runId: randomUUID(), tokens: 5 };
    await alice.admit(spent.runId);
    await store.write(users.commit({ messages: [row("some text")], spent, time: NOON }));
    await alice.refused("BUDGET");
    for (const name of ["requestsPerMinute", "runsAtOnce", "tokensPerDay", "bytesKept"] as const)
      assert.equal(await bob.used(name), 0);
    await bob.admit();
  }),

  "puts a user's own limits before those of everybody, one by one": limited(
    async (limits, _, users) => {
      const everybody = { runsAtOnce: 1, requestsPerMinute: 2 };
      const [alice, bob] = [
        new Runs(limits, users.alice, everybody),
        new Runs(limits, users.bob, everybody),
      ];
      await limits.set(users.alice, { runsAtOnce: 5 });
      await limits.set(users.bob, { tokensPerDay: 100 });
      await limits.set(users.alice, { bytesKept: 1_000 });
      const mine = async () =>
        (await limits.list()).filter(
          ({ userId }) => userId === users.alice || userId === users.bob,
        );
      assert.deepEqual(await mine(), [
        { userId: users.alice, limits: { runsAtOnce: 5, bytesKept: 1_000 } },
        { userId: users.bob, limits: { tokensPerDay: 100 } },
      ]);
      await alice.admit();
      await alice.admit();
      await alice.refused("RATE_LIMITED");
      await bob.admit();
      await bob.refused("BUSY");
      assert.equal(await limits.remove(users.alice), true);
      assert.equal(await limits.remove(users.alice), false);
      await alice.refused("RATE_LIMITED");
      assert.equal((await mine()).length, 1);
    },
  ),

  "keeps limits and what was spent today when a user is deleted": limited(
    async (limits, store, users) => {
      const runs = new Runs(limits, users.alice, {});
      await limits.set(users.alice, { tokensPerDay: 5 });
      await store.write(users.commit({ messages: [row("1")] }));
      await runs.settle(randomUUID(), 5);
      await store.delete(users.alice, { sessionId: undefined, time: NOON });
      await runs.refused("BUDGET");
      await store.write(users.commit({ messages: [row("1")] }));
      await store.deleteAll();
      await runs.refused("BUDGET");
    },
  ),
};
