import assert from "node:assert/strict";
import { DEFAULT_SESSION_ID, validateSessionId } from "../../ids.js";
import { CHANGES_KEPT } from "../../memory/state.js";
import type { NewRow } from "../../memory/store.js";
import { BOB, run, shown, WORK, withEdits, write } from "./edit-fixture.js";
import { ALICE, ALL, commit, row, type StoreChecks, WINDOW } from "./store-fixture.js";

const COPY = validateSessionId("copy 🍴");
const HERE = { sessionId: DEFAULT_SESSION_ID, time: 5_000 };

export const edits: StoreChecks = {
  "takes back the last runs with what they changed of the state": withEdits(
    async (edits, store) => {
      await write(store, { messages: run("1"), state: [["kept", "1"]] });
      await write(store, { userId: BOB, messages: run("1"), state: [["kept", "1"]] });
      await write(store, { sessionId: WORK, messages: run("1"), state: [["kept", "1"]] });
      const before = await shown(store);
      const state = [
        ["kept", undefined],
        ["new", "2"],
      ] as const;
      await write(store, { messages: run("2"), state });
      const again = [
        ["kept", "3"],
        ["new", "3"],
      ] as const;
      await write(store, { messages: run("3"), state: again });
      assert.deepEqual(await edits.undo(ALICE, { ...HERE, runs: 2 }), { runs: 2, messages: 4 });
      assert.deepEqual(await shown(store), before);
      const [next] = await write(store, { messages: run("4") });
      assert.equal(next?.id, 9, "an id was used again");
    },
  ),

  "takes back a run that was stored in several commits as one": withEdits(async (edits, store) => {
    const [question, answer] = run("1") as [NewRow, NewRow];
    await write(store, { messages: [question], state: [["key", "1"]] });
    await write(store, { messages: [answer], state: [["key", "2"]] });
    assert.deepEqual(await edits.undo(ALICE, { ...HERE, runs: 1 }), { runs: 1, messages: 2 });
    assert.deepEqual([...(await store.users())], []);
  }),

  "keeps system messages, and the state that came with one": withEdits(async (edits, store) => {
    const rule: NewRow = { ...row("Be brief."), role: "system" };
    await write(store, { messages: [rule], state: [["style", '"brief"']] });
    const before = await shown(store);
    await write(store, { messages: run("1"), state: [["style", '"long"']] });
    assert.deepEqual(await edits.undo(ALICE, { ...HERE, runs: 9 }), { runs: 1, messages: 2 });
    assert.deepEqual(await shown(store), before);
  }),

  "changes nothing if there is no run": withEdits(async (edits, store) => {
    await write(store, { userId: BOB, messages: run("1") });
    await write(store, { state: [["key", "1"]] });
    const [before, { generation }] = [await shown(store), await store.read(ALICE, WINDOW)];
    assert.deepEqual(await edits.undo(ALICE, { ...HERE, runs: 1 }), { runs: 0, messages: 0 });
    const elsewhere = { ...HERE, sessionId: WORK, runs: 1 };
    assert.deepEqual(await edits.undo(BOB, elsewhere), { runs: 0, messages: 0 });
    assert.deepEqual(await shown(store), before);
    assert.equal((await store.read(ALICE, WINDOW)).generation, generation);
  }),

  "ends a run that has read what is taken back, and no other": withEdits(async (edits, store) => {
    await write(store, { messages: run("1") });
    await write(store, { messages: run("2") });
    await write(store, { sessionId: WORK, messages: run("1") });
    const { generation } = await store.read(ALICE, WINDOW);
    await edits.undo(ALICE, { ...HERE, runs: 1 });
    assert.equal(
      await store.write(commit({ messages: run("late"), generation })),
      "HISTORY_CLEARED",
    );
    const messages = run("2").map((message) => ({ ...message, sessionId: WORK }));
    const elsewhere = await store.write(commit({ sessionId: WORK, messages, generation }));
    assert.notEqual(elsewhere, "HISTORY_CLEARED");
    const now = await store.read(ALICE, WINDOW);
    const next = commit({ messages: run("3"), generation: now.generation });
    assert.notEqual(await store.write(next), "HISTORY_CLEARED");
  }),

  "gives back what a run has changed that was replaced meanwhile": withEdits(
    async (edits, store) => {
      await write(store, { messages: run("1") });
      const before = await shown(store);
      await write(store, { messages: run("2"), state: [["key", "2"]] });
      await write(store, { messages: run("3"), replaceRun: "2" });
      await edits.undo(ALICE, { ...HERE, runs: 1 });
      assert.deepEqual(await shown(store), before);
    },
  ),

  [`takes back ${CHANGES_KEPT} changes of the state, and refuses more`]: withEdits(
    async (edits, store) => {
      await write(store, { messages: run("0"), state: [["key", "0"]] });
      const before = await shown(store);
      for (let index = 1; index <= CHANGES_KEPT; index += 1)
        await write(store, { messages: run(`${index}`), state: [["key", `${index}`]] });
      const after = await shown(store);
      const tooMany = { ...HERE, runs: CHANGES_KEPT + 1 };
      assert.equal(await edits.undo(ALICE, tooMany), "STATE_UNKNOWN");
      assert.deepEqual(await shown(store), after);
      await edits.undo(ALICE, { ...HERE, runs: CHANGES_KEPT });
      assert.deepEqual(await shown(store), before);
    },
  ),

  "copies a session, which then lives on its own": withEdits(async (edits, store) => {
    await write(store, { userId: BOB, sessionId: COPY, messages: run("of bob") });
    await write(store, { messages: run("1"), state: [["key", "1"]] });
    await write(store, { sessionId: WORK, messages: run("1") });
    await write(store, { messages: run("2"), state: [["key", "2"]] });
    const original = await store.read(ALICE, WINDOW);
    assert.deepEqual(await edits.fork(ALICE, { ...HERE, to: COPY }), { messages: 4 });
    const copy = await store.read(ALICE, { sessionId: COPY, limit: Infinity });
    assert.deepEqual(
      structuredClone(copy.messages),
      original.messages.map((message, index) => ({
        ...message,
        id: 7 + index,
        sessionId: COPY,
      })),
    );
    assert.deepEqual({ ...copy.state }, { key: 2 });
    const bytes = copy.messages.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)),
      0,
    );
    const found = (await store.sessions(ALICE)).find(({ sessionId }) => sessionId === COPY);
    assert.deepEqual(
      { ...found },
      {
        ...{ sessionId: COPY, messages: 4, runs: 2, bytes, lastActivity: 5_000 },
      },
    );

    await edits.undo(ALICE, { ...HERE, sessionId: COPY, runs: 1 });
    const shorter = await store.read(ALICE, { sessionId: COPY, limit: Infinity });
    assert.deepEqual({ ...shorter.state }, { key: 1 });
    const [next] = await write(store, { sessionId: COPY, messages: run("3") });
    assert.equal(next?.id, 11);
    assert.deepEqual(structuredClone(await store.read(ALICE, WINDOW)), {
      ...structuredClone(original),
      generation: (await store.read(ALICE, WINDOW)).generation,
    });
    assert.equal((await store.page(BOB, ALL)).length, 2);
  }),

  "copies onto no other session, and copies nothing of nothing": withEdits(async (edits, store) => {
    await write(store, { messages: run("1") });
    await write(store, { sessionId: WORK, state: [["key", "1"]] });
    await write(store, { userId: BOB, sessionId: COPY, messages: run("1") });
    const before = await shown(store);
    for (const to of [WORK, DEFAULT_SESSION_ID])
      assert.equal(await edits.fork(ALICE, { ...HERE, to }), "SESSION_EXISTS");
    const nothing = { ...HERE, sessionId: COPY, to: validateSessionId("new") };
    assert.equal(await edits.fork(ALICE, nothing), "NOTHING");
    assert.deepEqual(await shown(store), before);
    const state = { ...HERE, sessionId: WORK, to: validateSessionId("state") };
    assert.deepEqual(await edits.fork(ALICE, state), { messages: 0 });
    const copy = await store.read(ALICE, { sessionId: state.to, limit: 0 });
    assert.deepEqual({ ...copy.state }, { key: 1 });
  }),
};
