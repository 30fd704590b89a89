import assert from "node:assert/strict";
import { type UserId, validateSessionId, validateUserId } from "../../ids.js";
import type { SessionRowWithState, Store } from "../../memory/store.js";
import { ALICE, commit, row, type StoreChecks, type StoreFixture } from "./store-fixture.js";

type Pages = NonNullable<Store["sessionsById"]>;

/** A store without pages passes them all. */
const paged =
  (check: (store: Store, sessionsById: Pages) => Promise<void>) =>
  async ({ store }: StoreFixture): Promise<void> => {
    const { sessionsById } = store;
    if (sessionsById !== undefined)
      await check(store, (userId) => sessionsById.call(store, userId));
  };

/** In the order of their code points: surrogates come last, though not as UTF-16. */
const NAMES = ["A", "a", "a b", "a%", "a_", "ab", "default", "é", "한", "\ufb01", "\u{1f600}"];

/** Ids that a careless comparison takes for alice. */
const OTHERS = ["Alice", "alice2", "ali", "ali%", "_lice"].map(validateUserId);

/** A text that fills a page. */
const LONG = "x".repeat(300_000);

const namesOf = (page: readonly SessionRowWithState[]): string[] =>
  page.map(({ sessionId }) => sessionId);

async function listed(pages: AsyncIterable<readonly SessionRowWithState[]>): Promise<string[]> {
  const names: string[] = [];
  for await (const page of pages) names.push(...namesOf(page));
  return names;
}

async function addSession(store: Store, name: string, userId: UserId, value: string) {
  const sessionId = validateSessionId(name);
  const state = [["key", JSON.stringify(value)] as const];
  await store.write(commit({ userId, sessionId, messages: [{ ...row(name), sessionId }], state }));
}

export const sessionPages: StoreChecks = {
  "lists the sessions of one user by id, with their counts, totals and states": paged(
    async (store, sessionsById) => {
      for (const userId of [ALICE, ...OTHERS])
        for (const name of [...NAMES].reverse()) await addSession(store, name, userId, userId);
      const sessionId = validateSessionId("state alone");
      const state = [
        ["__proto__", "1"],
        ["\0 and \ud800", '"\\u0000"'],
      ] as const;
      await store.write(commit({ sessionId, state }));
      const names = [...NAMES, sessionId].sort((left, right) =>
        Buffer.compare(Buffer.from(left), Buffer.from(right)),
      );
      const rows = new Map((await store.sessions(ALICE)).map((each) => [each.sessionId, each]));
      const expected = [];
      for (const name of names) {
        const window = { sessionId: validateSessionId(name), limit: 0 };
        const { total, state } = await store.read(ALICE, window);
        expected.push({ ...rows.get(name), total, state });
      }
      const found: SessionRowWithState[] = [];
      for await (const page of sessionsById(ALICE)) found.push(...page);
      assert.deepEqual(namesOf(found), names);
      assert.deepEqual(structuredClone(found), structuredClone(expected));
      for (const userId of OTHERS) assert.deepEqual(await listed(sessionsById(userId)), NAMES);
      assert.deepEqual(await listed(sessionsById(validateUserId("nobody"))), []);
    },
  ),

  "ends a page of sessions after a long state, and none is missing or comes twice": paged(
    async (store, sessionsById) => {
      for (const name of ["b", "a", "d", "c"])
        await addSession(store, name, ALICE, name === "b" || name === "c" ? LONG : "short");
      const pages: string[][] = [];
      for await (const page of sessionsById(ALICE)) pages.push(namesOf(page));
      assert.deepEqual(pages, [["a", "b"], ["c"], ["d"]]);
    },
  ),

  "reads a page of sessions when it is asked for, so nothing that was deleted is on it": paged(
    async (store, sessionsById) => {
      for (const name of ["a", "b", "c"]) await addSession(store, name, ALICE, LONG);
      await addSession(store, "b", validateUserId("bob"), "of bob");
      const names: string[] = [];
      for await (const page of sessionsById(ALICE)) {
        names.push(...namesOf(page));
        await store.delete(ALICE, { sessionId: undefined, time: 0 });
        await addSession(store, "c", ALICE, "new");
        assert.ok(page.every(({ state }) => state.key !== "of bob"));
      }
      assert.deepEqual(names, ["a", "c"]);
    },
  ),
};
