import assert from "node:assert/strict";
import { DEFAULT_SESSION_ID, validateSessionId } from "../../ids.js";
import { CHANGES_KEPT } from "../../memory/state.js";
import type { NewRow, Store } from "../../memory/store.js";
import { BOB, run, shown, WORK, withEdits, write } from "./edit-fixture.js";
import { ALICE, commit, row, type StoreChecks, WINDOW } from "./store-fixture.js";

/** A session that does not exist yet. */
const FIRST = validateSessionId("first");

const OLD = 1_000;
const NEW = 9_000;

/** What is older than 5 seconds after 1970, in all sessions. */
const CLEAR = { sessionId: undefined, before: 5_000, dryRun: false, time: 10_000 };

const at = (time: number, rows: readonly NewRow[]): NewRow[] =>
  rows.map((message) => ({ ...message, createdAt: new Date(time).toISOString() }));

const oldRun = (id: string) => ({ messages: at(OLD, run(id)), time: OLD });
const newRun = (id: string) => ({ messages: at(NEW, run(id)), time: NEW });

/** The contents of the session `default` of alice. */
const contents = async (store: Store): Promise<string[]> =>
  (await store.read(ALICE, WINDOW)).messages.map(({ content }) => content);

export const oldRuns: StoreChecks = {
  "deletes the old runs of a user, and keeps all the rest": withEdits(async (edits, store) => {
    await write(store, { userId: BOB, ...oldRun("1") });
    await write(store, { ...newRun("2"), state: [["kept", "1"]] });
    const rule = at(OLD, [{ ...row("Be brief."), role: "system", runId: "0" }]);
    const before = (await shown(store)) as { sessions: { counts: object }[] };
    await write(store, { sessionId: WORK, messages: rule, time: OLD });
    await write(store, { sessionId: WORK, ...oldRun("1") });
    await write(store, { sessionId: WORK, ...oldRun("2"), state: [["old", "1"]] });
    await write(store, { sessionId: WORK, ...newRun("3") });
    assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 4, sessions: 0 });

    const left = await store.read(ALICE, { sessionId: WORK, limit: Infinity });
    assert.deepEqual(
      left.messages.map(({ content, id }) => [id, content]),
      [
        [3, "Be brief."],
        [8, "3?"],
        [9, "3!"],
      ],
    );
    assert.deepEqual({ ...left.state }, { old: 1 });
    assert.equal(left.total, 7, "how many messages were ever added");
    const found = (await store.sessions(ALICE)).find(({ sessionId }) => sessionId === WORK);
    const bytes = left.messages.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)),
      0,
    );
    const counts = { sessionId: WORK, messages: 3, runs: 1, bytes, lastActivity: NEW };
    assert.deepEqual({ ...found }, counts);
    assert.equal(await store.size(ALICE, { sessionId: undefined }), 5);

    await store.delete(ALICE, { sessionId: WORK, time: NEW });
    assert.deepEqual(await shown(store), before);
    const [next] = await write(store, newRun("4"));
    assert.equal(next?.id, 10, "an id was used again");
  }),

  "deletes only in the session that is named": withEdits(async (edits, store) => {
    for (const sessionId of [DEFAULT_SESSION_ID, WORK]) {
      await write(store, { sessionId, ...oldRun("1") });
      await write(store, { sessionId, ...newRun("2") });
    }
    const clear = { ...CLEAR, sessionId: WORK };
    assert.deepEqual(await edits.clearBefore(ALICE, clear), { messages: 2, sessions: 0 });
    assert.deepEqual(await contents(store), ["1?", "1!", "2?", "2!"]);
    assert.equal(await store.size(ALICE, { sessionId: WORK }), 2);
  }),

  "deletes a session that is old as a whole, and a user who has no other": withEdits(
    async (edits, store) => {
      const rule = at(OLD, [{ ...row("Be brief."), role: "system" }]);
      await write(store, { messages: rule, state: [["key", "1"]], time: OLD });
      await write(store, oldRun("1"));
      await write(store, { sessionId: WORK, state: [["key", "1"]], time: OLD });
      await write(store, { userId: BOB, ...newRun("1") });
      assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 3, sessions: 2 });
      assert.deepEqual([...(await store.sessions(ALICE))], []);
      assert.deepEqual({ ...(await store.read(ALICE, WINDOW)).state }, {});
      assert.deepEqual(
        (await store.users()).map(({ userId }) => userId),
        [BOB],
      );
    },
  ),

  "keeps the state and the system messages of a session that is still used": withEdits(
    async (edits, store) => {
      const rule = at(OLD, [{ ...row("Be brief."), role: "system" }]);
      await write(store, { messages: [...rule, ...at(OLD, run("1"))], time: OLD });
      await write(store, { state: [["key", "1"]], time: NEW });
      assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 2, sessions: 0 });
      assert.deepEqual(await contents(store), ["Be brief."]);
      assert.deepEqual({ ...(await store.read(ALICE, WINDOW)).state }, { key: 1 });
    },
  ),

  "removes a session that is still used, but of which nothing is left": withEdits(
    async (edits, store) => {
      await write(store, { ...oldRun("1"), state: [["key", "1"]] });
      await write(store, { state: [["key", undefined]], time: NEW });
      assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 2, sessions: 1 });
      assert.deepEqual([...(await store.users())], []);
    },
  ),

  "keeps a run whole that has one newer message": withEdits(async (edits, store) => {
    const [question, answer] = run("1") as [NewRow, NewRow];
    await write(store, { messages: [...at(OLD, [question]), ...at(NEW, [answer])], time: NEW });
    assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 0, sessions: 0 });
    assert.deepEqual(await contents(store), ["1?", "1!"]);
  }),

  "finds an old run between newer ones": withEdits(async (edits, store) => {
    await write(store, newRun("1"));
    await write(store, oldRun("2"));
    await write(store, newRun("3"));
    assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 2, sessions: 0 });
    assert.deepEqual(await contents(store), ["1?", "1!", "3?", "3!"]);
  }),

  "counts first without deleting anything, if it is asked to": withEdits(async (edits, store) => {
    await write(store, { sessionId: WORK, ...oldRun("1"), state: [["key", "1"]] });
    await write(store, { ...oldRun("1"), state: [["key", "1"]] });
    await write(store, newRun("2"));
    const [before, { generation }] = [await shown(store), await store.read(ALICE, WINDOW)];
    const dry = await edits.clearBefore(ALICE, { ...CLEAR, dryRun: true });
    assert.deepEqual(await shown(store), before);
    assert.equal((await store.read(ALICE, WINDOW)).generation, generation);
    assert.deepEqual(dry, { messages: 4, sessions: 1 });
    assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), dry);
  }),

  "changes nothing where nothing is old": withEdits(async (edits, store) => {
    await write(store, { userId: BOB, ...oldRun("1") });
    await write(store, newRun("1"));
    const [before, { generation }] = [await shown(store), await store.read(ALICE, WINDOW)];
    assert.deepEqual(await edits.clearBefore(ALICE, CLEAR), { messages: 0, sessions: 0 });
    assert.deepEqual(await shown(store), before);
    assert.equal((await store.read(ALICE, WINDOW)).generation, generation);
  }),

  "ends a run that has read what is deleted, and no other": withEdits(async (edits, store) => {
    await write(store, oldRun("1"));
    await write(store, newRun("2"));
    await write(store, { sessionId: WORK, ...newRun("1") });
    const { generation } = await store.read(ALICE, WINDOW);
    await edits.clearBefore(ALICE, CLEAR);
    const late = commit({ messages: run("late"), generation });
    assert.equal(await store.write(late), "HISTORY_CLEARED");
    for (const sessionId of [WORK, FIRST]) {
      const messages = run("3").map((message) => ({ ...message, sessionId }));
      const elsewhere = await store.write(commit({ sessionId, messages, generation }));
      assert.notEqual(elsewhere, "HISTORY_CLEARED");
    }
    const now = await store.read(ALICE, WINDOW);
    const next = commit({ messages: run("3"), generation: now.generation });
    assert.notEqual(await store.write(next), "HISTORY_CLEARED");
  }),

  "leaves what is newer to be taken back": withEdits(async (edits, store) => {
    await write(store, { ...oldRun("1"), state: [["key", "1"]] });
    await write(store, newRun("2"));
    const kept = { key: 1 };
    await write(store, { ...newRun("3"), state: [["key", "3"]] });
    await write(store, { ...oldRun("4"), state: [["key", "4"]] });
    await write(store, { ...newRun("5"), state: [["key", "5"]] });
    await edits.clearBefore(ALICE, CLEAR);
    const undo = { sessionId: DEFAULT_SESSION_ID, time: NEW };
    assert.deepEqual(await edits.undo(ALICE, { ...undo, runs: 1 }), { runs: 1, messages: 2 });
    assert.deepEqual({ ...(await store.read(ALICE, WINDOW)).state }, { key: 4 });
    assert.deepEqual(await edits.undo(ALICE, { ...undo, runs: 9 }), { runs: 2, messages: 4 });
    assert.deepEqual({ ...(await store.read(ALICE, WINDOW)).state }, kept);
  }),

  "forgets with old runs that the state from before them is not known": withEdits(
    async (edits, store) => {
      for (let index = 0; index <= CHANGES_KEPT; index += 1)
        await write(store, { ...oldRun(`${index}`), state: [["key", `${index}`]] });
      await write(store, newRun("new"));
      await edits.clearBefore(ALICE, CLEAR);
      const undo = { sessionId: DEFAULT_SESSION_ID, time: NEW, runs: 9 };
      assert.deepEqual(await edits.undo(ALICE, undo), { runs: 1, messages: 2 });
      assert.deepEqual({ ...(await store.read(ALICE, WINDOW)).state }, { key: CHANGES_KEPT });
    },
  ),

  "adds no message to a run that was deleted": withEdits(async (edits, store) => {
    await write(store, oldRun("1"));
    await write(store, { state: [["key", "1"]], time: NEW });
    await edits.clearBefore(ALICE, CLEAR);
    const [next] = await write(store, { messages: [{ ...row("on"), runId: undefined }] });
    assert.equal(next?.runId, "new run");
  }),
};
