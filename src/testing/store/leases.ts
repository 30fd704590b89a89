import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { validateSessionId, validateUserId } from "../../ids.js";
import type { Claim, Lease, Leased } from "../../memory/memory.js";
import { ALICE, commit, row, SESSION, type StoreChecks, WINDOW } from "./store-fixture.js";

const LEASE_TIME = { ms: 30_000 };
const READ_ALL = { limit: Infinity, ...LEASE_TIME };

/** Of a new run in the session `default`. */
const claim = (userId = ALICE): Claim => ({
  userId,
  sessionId: SESSION.sessionId,
  holder: randomUUID(),
});

/** A store without leases passes them all. */
export const leases: StoreChecks = {
  "gives a lease to one holder at a time, who reads what the one before has stored": async ({
    store,
  }) => {
    if (store.leases === undefined) return;
    const [first, second] = [claim(), claim()];
    const held = await store.leases.take(first, READ_ALL);
    assert.deepEqual(held?.snapshot, await store.read(first.userId, WINDOW));
    assert.equal(await store.leases.take(second, READ_ALL), undefined);
    const stored = await store.write(commit({ messages: [row("1")], lease: held?.lease }));
    assert.ok(Array.isArray(stored));
    const next = await store.leases.take(second, READ_ALL);
    assert.deepEqual(
      next?.snapshot.messages.map(({ content }) => content),
      ["1"],
    );
    assert.ok(Number(next?.lease.fence) > Number(held?.lease.fence));
    await store.leases.release(second);
  },

  "stores nothing with a lease that was given back or taken again": async ({ store }) => {
    if (store.leases === undefined) return;
    const mine = claim();
    const held = await store.leases.take(mine, READ_ALL);
    const again = await store.leases.take(mine, READ_ALL);
    const late = commit({ messages: [row("late")], lease: held?.lease, replaceRun: "none" });
    assert.equal(await store.write(late), "LEASE_LOST");
    assert.equal(await store.leases.renew(held?.lease as Lease, LEASE_TIME), false);
    assert.equal(await store.leases.renew(again?.lease as Lease, LEASE_TIME), true);
    await store.leases.release(mine);
    assert.equal(await store.leases.renew(again?.lease as Lease, LEASE_TIME), false);
    assert.equal(await store.write({ ...late, lease: again?.lease }), "LEASE_LOST");
    assert.equal(await store.size(mine.userId, { sessionId: undefined }), 0);
  },

  "keeps the lease of a write that stored nothing": async ({ store }) => {
    if (store.leases === undefined) return;
    const held = await store.leases.take(claim(), READ_ALL);
    const conflict = commit({ expected: [["key", "1"]], lease: held?.lease });
    assert.equal(await store.write(conflict), "STATE_CONFLICT");
    assert.equal(await store.leases.renew(held?.lease as Lease, LEASE_TIME), true);
    assert.ok(Array.isArray(await store.write({ ...conflict, expected: [] })));
    assert.equal(await store.leases.renew(held?.lease as Lease, LEASE_TIME), false);
  },

  "lets other users, other sessions and writes without a lease pass": async ({ store }) => {
    if (store.leases === undefined) return;
    const others = [
      claim(validateUserId("bob")),
      { ...claim(), sessionId: validateSessionId("work") },
    ];
    const [mine, waiting] = [claim(), claim()];
    for (const each of [mine, ...others])
      assert.ok((await store.leases.take(each, READ_ALL)) !== undefined);
    assert.ok(Array.isArray(await store.write(commit({ messages: [row("hi")] }))));
    await store.delete(mine.userId, { sessionId: undefined, time: 0 });
    assert.equal(await store.leases.take(waiting, READ_ALL), undefined);
    for (const each of [mine, waiting, ...others]) await store.leases.release(each);
  },

  "gives a lease that is free to the holder who was refused first": async ({ store }) => {
    if (store.leases === undefined) return;
    const [first, second, third] = [claim(), claim(), claim()];
    const take = async (who: Claim) => (await store.leases?.take(who, READ_ALL)) !== undefined;
    assert.deepEqual(
      [await take(first), await take(second), await take(third)],
      [true, false, false],
    );
    await store.leases.release(first);
    assert.deepEqual([await take(third), await take(second)], [false, true]);
    // Who leaves holds nobody up.
    await store.leases.release(third);
    await store.leases.release(second);
    assert.equal(await take(second), true);
    await store.leases.release(second);
  },

  "ends a lease that is not renewed in time, and stores nothing of whoever had it": async ({
    store,
  }) => {
    if (store.leases === undefined) return;
    const [slow, next] = [claim(), claim()];
    const lost = await store.leases.take(slow, { limit: Infinity, ms: 1 });
    let held: Leased | undefined;
    while (held === undefined) held = await store.leases.take(next, READ_ALL);
    const late = commit({ messages: [row("late")], lease: lost?.lease });
    assert.equal(await store.write(late), "LEASE_LOST");
    await store.leases.release(slow);
    assert.ok(Array.isArray(await store.write({ ...late, lease: held.lease })));
  },
};
