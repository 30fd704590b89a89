import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { validateUserId } from "../../ids.js";
import type { Store, StoreTokens, TokenRow } from "../../memory/store.js";
import {
  ALICE,
  commit,
  row,
  SESSION,
  type StoreChecks,
  type StoreFixture,
} from "./store-fixture.js";

const BOB = validateUserId("bob");

/** Of no secret. */
const HASH = "0123456789abcdef".repeat(4);

const token = (changes: Partial<TokenRow> = {}): TokenRow => ({
  tokenId: randomUUID(),
  userId: ALICE,
  hash: HASH,
  label: undefined,
  createdAt: 1_700_000_000_000,
  expiresAt: undefined,
  lastUsedAt: undefined,
  ...changes,
});

/** A shared store may have tokens of other checks, too. */
const only = (mine: readonly TokenRow[], found: readonly TokenRow[]): TokenRow[] =>
  found.filter(({ tokenId }) => mine.some((one) => one.tokenId === tokenId));

/** A store without tokens passes them all. What a check inserts is deleted after it. */
const withTokens =
  (check: (tokens: StoreTokens, store: Store) => Promise<void>) =>
  async ({ store: { tokens }, store }: StoreFixture): Promise<void> => {
    if (tokens === undefined) return;
    await check(tokens, store);
    for (const { tokenId, hash } of await tokens.list(undefined))
      if (hash === HASH) await tokens.delete(tokenId);
  };

export const tokens: StoreChecks = {
  "finds a token by its id alone, as it was inserted": withTokens(async (tokens) => {
    const bare = token();
    const full = token({ userId: BOB, label: "Björns Läptop 💻", expiresAt: 1_800_000_000_000 });
    await tokens.insert(bare);
    await tokens.insert(full);
    assert.deepEqual(await tokens.find(bare.tokenId), bare);
    assert.deepEqual(await tokens.find(full.tokenId), full);
    assert.equal(await tokens.find(bare.tokenId.slice(0, -1)), undefined);
    assert.equal(await tokens.find("%"), undefined);
  }),

  "lists the tokens of one user or of all, oldest first": withTokens(async (tokens) => {
    const [first, second] = [token(), token({ createdAt: 1_700_000_000_001 })];
    const other = token({ userId: BOB, createdAt: 1_700_000_000_002 });
    for (const each of [first, second, other]) await tokens.insert(each);
    const mine = [first, second, other];
    assert.deepEqual(only(mine, await tokens.list(ALICE)), [first, second]);
    assert.deepEqual(only(mine, await tokens.list(BOB)), [other]);
    assert.deepEqual(only(mine, await tokens.list(undefined)), mine);
    assert.ok((await tokens.list(BOB)).every(({ userId }) => userId === BOB));
  }),

  "notes the latest use of a token": withTokens(async (tokens) => {
    const [used, unused] = [token(), token()];
    for (const each of [used, unused]) await tokens.insert(each);
    for (const time of [5_000, 7_000, 6_000]) await tokens.noteUse(used.tokenId, time);
    assert.equal((await tokens.find(used.tokenId))?.lastUsedAt, 7_000);
    assert.equal((await tokens.find(unused.tokenId))?.lastUsedAt, undefined);
    await tokens.noteUse("unknown", 5_000);
  }),

  "deletes one token, and tells whether there was one": withTokens(async (tokens) => {
    const [gone, kept] = [token(), token()];
    for (const each of [gone, kept]) await tokens.insert(each);
    assert.equal(await tokens.delete(gone.tokenId), true);
    assert.equal(await tokens.delete(gone.tokenId), false);
    assert.deepEqual(only([gone, kept], await tokens.list(undefined)), [kept]);
  }),

  "keeps the tokens of a user whose data is deleted": withTokens(async (tokens, store) => {
    const kept = token();
    await tokens.insert(kept);
    await store.write(commit({ messages: [row("1")] }));
    await store.delete(ALICE, { sessionId: undefined, time: 0 });
    await store.write(commit({ messages: [row("1")] }));
    await store.deleteAll();
    assert.deepEqual(await tokens.find(kept.tokenId), kept);
    assert.equal(await store.size(ALICE, SESSION), 0);
  }),
};
