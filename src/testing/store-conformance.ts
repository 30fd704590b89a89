import assert from "node:assert/strict";
import { DEFAULT_SESSION_ID, type SessionId, validateSessionId, validateUserId } from "../ids.js";
import type { Awaitable } from "../memory/memory.js";
import type { Store } from "../memory/store.js";
import { StoreMemory } from "../memory/store-memory.js";
import type { StoredMessage } from "../messages.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { newClock } from "./memory/memory-fixture.js";
import { MEMORY_CHECKS } from "./memory-conformance.js";
import { attachments } from "./store/attachments.js";
import { edits } from "./store/edits.js";
import { leases } from "./store/leases.js";
import { limits } from "./store/limits.js";
import { oldRuns } from "./store/old-runs.js";
import { sessionPages } from "./store/session-pages.js";
import {
  ALICE,
  ALL,
  commit,
  row,
  type StoreChecks,
  type StoreFixture,
  WINDOW,
} from "./store/store-fixture.js";
import { tokens } from "./store/tokens.js";
import { declareSuite, RUNNER_KEYS, type SuiteRunner } from "./suite.js";

export interface StoreConformanceOptions extends SuiteRunner {
  /** The name of the store, for the title. */
  readonly name: string;
  /** Opens a new, empty store. The suite closes it after the test. */
  readonly open: () => Awaitable<Store>;
  /**
   * Opens the rows of the store opened last again, once it is closed. Leave it out for a store that
   * keeps nothing after `close`: no test can see otherwise whether anything was stored durably.
   */
  readonly reopen?: () => Awaitable<Store>;
}

const KEYS: KnownKeys<StoreConformanceOptions> = {
  name: true,
  open: true,
  reopen: true,
  ...RUNNER_KEYS,
};

/**
 * Tests every rule of the `Store` contract: on the store itself, and through a memory over it,
 * which must keep every promise of `memoryConformance`. Call it in a test file of your own store.
 * @example
 * import { mkdtempSync } from "node:fs";
 * import { describe, it } from "node:test";
 * import { FileStore } from "./file-store.mjs"; // the store of docs/write-a-store.md
 *
 * const open = () => new FileStore(mkdtempSync("conversations-"));
 * storeConformance({ name: "FileStore", open, describe, it });
 * @throws {AgnoChatError} `USAGE` for an unknown option
 * @throws {Error} when `unsupported` names a test that does not exist
 */
export function storeConformance(options: StoreConformanceOptions): void {
  refuseUnknownKeys(options, KEYS, "storeConformance");
  const { name, open, reopen, ...runner } = options;
  const durable = reopen === undefined ? {} : { durability: durabilityChecks(reopen) };
  declareSuite<StoreFixture>(
    {
      title: `${name} keeps the store contract`,
      groups: { ...STORE_CHECKS, ...durable, ...MEMORY_CHECKS },
      open: async () => {
        const clock = newClock();
        const store = await open();
        return { store, memory: new StoreMemory(store, { now: () => clock.now }), clock };
      },
      close: ({ memory }) => memory.close(),
    },
    runner,
  );
}

const BOB = validateUserId("bob");
const CAROL = validateUserId("carol");

const writes: StoreChecks = {
  "returns values or promises, as atOnce says": async ({ store }) => {
    const answers = [
      store.read(ALICE, WINDOW),
      store.write(commit({ messages: [row("hi")] })),
      store.page(ALICE, ALL),
      store.size(ALICE, { sessionId: undefined }),
      store.sessions(ALICE),
      store.counts?.(ALICE, { sessionId: undefined }) ?? store.sessions(ALICE),
      store.users(),
      store.countUsers({ idleSince: 0 }),
      store.delete(BOB, { sessionId: undefined, time: 0 }),
      store.deleteIdle({ idleSince: 0, except: new Set(), time: 0 }),
      store.deleteAll(),
    ];
    for (const answer of answers) assert.equal(answer instanceof Promise, !store.atOnce);
    await Promise.all(answers);
  },

  "creates no user by an empty commit, but checks its conditions": async ({ store }) => {
    assert.deepEqual(await store.write(commit({})), []);
    const { generation } = await store.read(ALICE, WINDOW);
    assert.equal(await store.write(commit({ generation: generation + 1 })), "HISTORY_CLEARED");
    assert.equal(await store.write(commit({ expected: [["key", "1"]] })), "STATE_CONFLICT");
    assert.deepEqual(await store.write(commit({ state: [["key", undefined]] })), []);
    assert.deepEqual([...(await store.users())], []);
  },

  "reports another total before HISTORY_CLEARED, STATE_CONFLICT and another last run": async ({
    store,
  }) => {
    const { generation } = await store.read(ALICE, WINDOW);
    const conflicts = {
      messages: [row("hi")],
      expected: [["key", "1"]],
      replaceRun: "no such run",
    } as const;
    const late = commit({ ...conflicts, generation: generation + 1 });
    assert.equal(await store.write({ ...late, total: 1 }), "RUN_CONFLICT");
    assert.equal(await store.write({ ...late, total: 0 }), "HISTORY_CLEARED");
    assert.equal(await store.write(commit({ ...conflicts, generation })), "STATE_CONFLICT");
    assert.equal(await store.write(commit({ ...conflicts, expected: [] })), "RUN_CONFLICT");
  },

  "numbers messages from 1 across all sessions, and reuses no id while the user exists": async ({
    store,
  }) => {
    const idsOf = async (sessionId: SessionId): Promise<number[]> => {
      const messages = [
        { ...row("1"), sessionId },
        { ...row("2"), sessionId },
      ];
      const stored = await store.write(commit({ sessionId, messages }));
      return (stored as StoredMessage[]).map(({ id }) => id);
    };
    const [first, second] = [validateSessionId("first"), validateSessionId("second")];
    assert.deepEqual(await idsOf(first), [1, 2]);
    assert.deepEqual(await idsOf(second), [3, 4]);
    await store.delete(ALICE, { sessionId: second, time: 0 });
    assert.deepEqual(await idsOf(second), [5, 6]);
    await store.delete(ALICE, { sessionId: undefined, time: 0 });
    assert.deepEqual(await idsOf(first), [1, 2]);
  },

  "gives a row without a run id the run of the session's latest message, or else the new run":
    async ({ store }) => {
      const runsOf = async (...runs: (string | undefined)[]): Promise<string[]> => {
        const messages = runs.map((runId) => ({ ...row("hi"), runId }));
        const stored = await store.write(commit({ messages }));
        return (stored as StoredMessage[]).map(({ runId }) => runId);
      };
      assert.deepEqual(await runsOf(undefined, undefined, "a"), ["new run", "new run", "a"]);
      assert.deepEqual(await runsOf(undefined, "b"), ["a", "b"]);
      await store.write(commit({ state: [["key", "1"]] }));
      assert.deepEqual(await runsOf(undefined), ["b"]);
    },

  "stores one user's writes in the order of the calls": async ({ store }) => {
    const contents = Array.from({ length: 20 }, (_, index) => `${index}`);
    await Promise.all(contents.map((content) => store.write(commit({ messages: [row(content)] }))));
    const stored = await store.page(ALICE, ALL);
    assert.deepEqual(
      stored.map(({ content }) => content),
      contents,
    );
  },

  "never changes what it has returned": async ({ store }) => {
    const first = await store.write(commit({ messages: [row("1")], state: [["key", "1"]] }));
    const [window, page] = [await store.read(ALICE, WINDOW), await store.page(ALICE, ALL)];
    const before = structuredClone([first, window, page]);
    await store.write(commit({ messages: [row("2")], state: [["key", "2"]], time: 9_000 }));
    await store.delete(ALICE, { sessionId: undefined, time: 0 });
    assert.deepEqual(structuredClone([first, window, page]), before);
  },
};

const durabilityChecks = (reopen: () => Awaitable<Store>): StoreChecks => ({
  "keeps messages, state, ids, deletes and activity when it is closed and opened again": async ({
    store,
    memory,
  }) => {
    const { generation } = await store.read(CAROL, WINDOW);
    await store.write(commit({ messages: [row("1"), row("2")], state: [["key", "1"]] }));
    await store.write(commit({ userId: BOB, messages: [row("of bob")], time: 2_000 }));
    await store.write(commit({ userId: CAROL, messages: [row("gone")] }));
    await store.delete(CAROL, { sessionId: undefined, time: 3_000 });
    const kept = async (from: Store): Promise<unknown> =>
      structuredClone([
        await from.read(ALICE, WINDOW),
        await from.page(ALICE, ALL),
        await from.sessions(BOB),
        await from.users(),
      ]);
    const before = await kept(store);
    await memory.close();
    const again = await reopen();
    try {
      assert.deepEqual(await kept(again), before);
      const late = commit({ userId: CAROL, messages: [row("late")], generation });
      assert.equal(await again.write(late), "HISTORY_CLEARED");
      const [next] = (await again.write(commit({ messages: [row("3")] }))) as StoredMessage[];
      assert.equal(next?.id, 3);
    } finally {
      await again.close();
    }
  },
});

const deletes: StoreChecks = {
  "raises the generation with each delete that found something, and with no other": async ({
    store,
  }) => {
    const generationOf = async (): Promise<number> => (await store.read(ALICE, WINDOW)).generation;
    const nothing = await generationOf();
    await store.delete(ALICE, { sessionId: undefined, time: 0 });
    await store.delete(ALICE, { sessionId: DEFAULT_SESSION_ID, time: 0 });
    await store.deleteIdle({ idleSince: 1_000, except: new Set(), time: 0 });
    await store.deleteAll();
    await store.write(commit({ messages: [row("hi")] }));
    await store.delete(ALICE, { sessionId: validateSessionId("another"), time: 0 });
    await store.deleteIdle({ idleSince: 1_000, except: new Set(), time: 0 });
    assert.equal(await generationOf(), nothing);
    for (const remove of [
      () => store.delete(ALICE, { sessionId: undefined, time: 0 }),
      () => store.delete(ALICE, { sessionId: DEFAULT_SESSION_ID, time: 0 }),
      () => store.deleteIdle({ idleSince: 1_001, except: new Set(), time: 0 }),
      () => store.deleteAll(),
    ]) {
      const before = await generationOf();
      await store.write(commit({ messages: [row("hi")] }));
      await remove();
      assert.ok((await generationOf()) > before);
    }
  },

  "never moves a user's last activity back when it deletes a session": async ({ store }) => {
    await store.write(commit({ messages: [row("hi")] }));
    const sessionId = validateSessionId("later");
    const messages = [{ ...row("hi"), sessionId }];
    await store.write(commit({ sessionId, messages, time: 5_000 }));
    await store.delete(ALICE, { sessionId, time: 6_000 });
    const [alice] = await store.users();
    assert.deepEqual([alice?.sessions, alice?.lastActivity], [1, 5_000]);
    assert.deepEqual(await store.countUsers({ idleSince: 5_000 }), { users: 1, idle: 0 });
  },

  "ends every run with deleteAll, even of a user with nothing stored": async ({ store }) => {
    const { generation } = await store.read(ALICE, WINDOW);
    await store.write(commit({ userId: BOB, messages: [row("hi")] }));
    await store.deleteAll();
    const late = commit({ messages: [row("hi")], generation });
    assert.equal(await store.write(late), "HISTORY_CLEARED");
  },

  "counts all users and the idle ones, and deletes the idle ones that are not in except": async ({
    store,
  }) => {
    for (const [index, userId] of [ALICE, BOB, CAROL].entries())
      await store.write(commit({ userId, messages: [row("hi")], time: 1_000 + index }));
    assert.deepEqual(await store.countUsers({ idleSince: 1_000 }), { users: 3, idle: 0 });
    assert.deepEqual(await store.countUsers({ idleSince: 1_002 }), { users: 3, idle: 2 });
    assert.deepEqual(
      await store.deleteIdle({ idleSince: 1_002, except: new Set([ALICE]), time: 2_000 }),
      { users: 1, sessions: 1, messages: 1 },
    );
    assert.deepEqual(
      (await store.users()).map(({ userId, lastActivity }) => [userId, lastActivity]),
      [
        [CAROL, 1_002],
        [ALICE, 1_000],
      ],
    );
  },
};

const STORE_CHECKS: Readonly<Record<string, StoreChecks>> = {
  "store writes": writes,
  "store deletes": deletes,
  "store leases": leases,
  "store tokens": tokens,
  "store limits": limits,
  "store edits": edits,
  "store attachments": attachments,
  "store old runs": oldRuns,
  "store session pages": sessionPages,
};
