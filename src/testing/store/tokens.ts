import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { validateUserId } from "../../ids.js";
import type { TokenRow } from "../../memory/store.js";
import { ALICE, commit, row, SESSION, type StoreChecks } from "./store-fixture.js";

const BOB = validateUserId("bob");

const token = (changes: Partial<TokenRow> = {}): TokenRow => ({
  tokenId: randomUUID(),
  userId: ALICE,
  hash: "0123456789abcdef".repeat(4),
  label: undefined,
  createdAt: 1_700_000_000_000,
  expiresAt: undefined,
  lastUsedAt: undefined,
  ...changes,
});

/** A shared store may have tokens of other checks, too. */
const only = (mine: readonly TokenRow[], found: readonly TokenRow[]): TokenRow[] =>
  found.filter(({ tokenId }) => mine.some((one) => one.tokenId === tokenId));

/** A store without tokens passes them all. */
export const tokens: StoreChecks = {
  "finds a token by its id alone, as it was inserted": async ({ store }) => {
    if (store.tokens === undefined) return;
    const bare = token();
    const full = token({ userId: BOB, label: "Björns Läptop 💻", expiresAt: 1_800_000_000_000 });
    await store.tokens.insert(bare);
    await store.tokens.insert(full);
    assert.deepEqual(await store.tokens.find(bare.tokenId), bare);
    assert.deepEqual(await store.tokens.find(full.tokenId), full);
    assert.equal(await store.tokens.find(bare.tokenId.slice(0, -1)), undefined);
    assert.equal(await store.tokens.find("%"), undefined);
  },

  "lists the tokens of one user or of all, oldest first": async ({ store }) => {
    if (store.tokens === undefined) return;
    const [first, second] = [token(), token({ createdAt: 1_700_000_000_001 })];
    const other = token({ userId: BOB, createdAt: 1_700_000_000_002 });
    for (const each of [first, second, other]) await store.tokens.insert(each);
    const mine = [first, second, other];
    assert.deepEqual(only(mine, await store.tokens.list(ALICE)), [first, second]);
    assert.deepEqual(only(mine, await store.tokens.list(BOB)), [other]);
    assert.deepEqual(only(mine, await store.tokens.list(undefined)), mine);
    assert.ok((await store.tokens.list(BOB)).every(({ userId }) => userId === BOB));
  },

  "notes the latest use of a token": async ({ store }) => {
    if (store.tokens === undefined) return;
    const [used, unused] = [token(), token()];
    for (const each of [used, unused]) await store.tokens.insert(each);
    for (const time of [5_000, 7_000, 6_000]) await store.tokens.noteUse(used.tokenId, time);
    assert.equal((await store.tokens.find(used.tokenId))?.lastUsedAt, 7_000);
    assert.equal((await store.tokens.find(unused.tokenId))?.lastUsedAt, undefined);
    await store.tokens.noteUse("unknown", 5_000);
  },

  "deletes one token, and tells whether there was one": async ({ store }) => {
    if (store.tokens === undefined) return;
    const [gone, kept] = [token(), token()];
    for (const each of [gone, kept]) await store.tokens.insert(each);
    assert.equal(await store.tokens.delete(gone.tokenId), true);
    assert.equal(await store.tokens.delete(gone.tokenId), false);
    assert.deepEqual(only([gone, kept], await store.tokens.list(undefined)), [kept]);
  },

  "keeps the tokens of a user whose data is deleted": async ({ store }) => {
    if (store.tokens === undefined) return;
    const kept = token();
    await store.tokens.insert(kept);
    await store.write(commit({ messages: [row("1")] }));
    await store.delete(ALICE, { sessionId: undefined, time: 0 });
    await store.write(commit({ messages: [row("1")] }));
    await store.deleteAll();
    assert.deepEqual(await store.tokens.find(kept.tokenId), kept);
    assert.equal(await store.size(ALICE, SESSION), 0);
  },
};
