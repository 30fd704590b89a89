import assert from "node:assert/strict";
import { hashOf } from "../../attachments.js";
import { type SessionId, type UserId, validateSessionId, validateUserId } from "../../ids.js";
import type { Awaitable } from "../../memory/memory.js";
import type { Commit, NewRow, Store, StoreAttachments } from "../../memory/store.js";
import type { Attachment } from "../../messages.js";
import {
  ALICE,
  commit,
  row,
  type StoreChecks,
  type StoreFixture,
  WINDOW,
} from "./store-fixture.js";

const BOB = validateUserId("bob");
const [WORK, HOME] = [validateSessionId("work"), validateSessionId("home")];

/** A file and its content. */
class File {
  readonly content: Uint8Array;
  readonly attachment: Attachment;

  constructor(name: string, content: Uint8Array) {
    this.content = content;
    const [bytes, hash] = [content.length, hashOf(content)];
    this.attachment = { name, type: "text/plain", bytes, hash };
  }
}

const textFile = (text: string): File => new File(`${text}.txt`, new TextEncoder().encode(text));

/** Every byte there is, NUL and what is no UTF-8 included. */
const EVERY_BYTE = new File(
  "bytes",
  Uint8Array.from({ length: 100_000 }, (_, byte) => byte % 256),
);

const [PLAN, NOTES] = [textFile("the plan"), textFile("some notes")];

interface Attaching extends Partial<Commit> {
  readonly sessionId?: SessionId;
  readonly runId?: string;
}

/** A commit of one message with these files. */
function attaching(files: readonly File[], { runId = "run", ...parts }: Attaching = {}): Commit {
  const { sessionId = WORK } = parts;
  const message: NewRow = {
    ...row("look"),
    ...{ role: "user", sessionId, runId },
    attachments: files.map(({ attachment }) => attachment),
  };
  const contents = new Map(files.map(({ attachment, content }) => [attachment.hash, content]));
  return commit({ sessionId, messages: [message], contents, ...parts });
}

/** A store without attachments passes them all. */
const attached =
  (check: (store: Store, attachments: StoreAttachments) => Awaitable<void>) =>
  async ({ store }: StoreFixture): Promise<void> => {
    if (store.attachments !== undefined) await check(store, store.attachments);
  };

/** Which of the two files a user has. */
async function filesOf(attachments: StoreAttachments, userId: UserId = ALICE): Promise<string[]> {
  const files = [PLAN, NOTES];
  const hashes = files.map(({ attachment }) => attachment.hash);
  const found = await attachments.read(userId, hashes);
  return files
    .filter(({ attachment }) => found.has(attachment.hash))
    .map(({ attachment }) => attachment.name);
}

export const attachments: StoreChecks = {
  "returns messages with their attachments, and the exact contents of those asked for": attached(
    async (store, attachments) => {
      const files = [PLAN, EVERY_BYTE];
      const named = files.map(({ attachment }) => attachment);
      const stored = await store.write(attaching(files));
      const window = await store.read(ALICE, { ...WINDOW, sessionId: WORK });
      for (const [message] of [stored, window.messages] as const)
        assert.deepEqual(
          typeof message === "object" && message.role === "user" && message.attachments,
          named,
        );
      const { hash } = EVERY_BYTE.attachment;
      const contents = await attachments.read(ALICE, [hash, NOTES.attachment.hash]);
      assert.deepEqual([...contents.keys()], [hash]);
      assert.deepEqual(new Uint8Array(contents.get(hash) ?? []), EVERY_BYTE.content);
      assert.deepEqual([...(await attachments.read(ALICE, []))], []);
    },
  ),

  "keeps what it was given, whatever the caller does with the bytes": attached(
    async (store, attachments) => {
      const { attachment, content } = textFile("changed later");
      const given = new Uint8Array(content);
      await store.write(
        attaching([new File("a", content)], { contents: new Map([[attachment.hash, given]]) }),
      );
      given.fill(0);
      const first = (await attachments.read(ALICE, [attachment.hash])).get(attachment.hash);
      assert.deepEqual(new Uint8Array(first ?? []), content);
      first?.fill(0);
      const second = (await attachments.read(ALICE, [attachment.hash])).get(attachment.hash);
      assert.deepEqual(new Uint8Array(second ?? []), content);
    },
  ),

  "has no content of another user, and takes one again that another user has": attached(
    async (store, attachments) => {
      await store.write(attaching([PLAN]));
      assert.deepEqual(await filesOf(attachments, BOB), []);
      await store.write(attaching([PLAN, NOTES], { userId: BOB }));
      assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
      await store.delete(BOB, { sessionId: undefined, time: 0 });
      assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
      assert.deepEqual(await filesOf(attachments, BOB), []);
    },
  ),

  "counts the bytes of a content with each message that names it": attached(async (store) => {
    const bytesOf = async (userId: UserId): Promise<number[]> =>
      (await store.sessions(userId)).map(({ bytes }) => bytes);
    await store.write(attaching([PLAN]));
    const [once = 0] = await bytesOf(ALICE);
    await store.write(attaching([PLAN], { userId: BOB }));
    assert.deepEqual(await bytesOf(BOB), [once]);
    const text = JSON.stringify({ attachments: [PLAN.attachment] });
    assert.ok(once > PLAN.content.length + text.length);
    await store.write(attaching([PLAN]));
    assert.deepEqual(await bytesOf(ALICE), [2 * once]);
    await store.write(attaching([PLAN], { runId: "two", replaceRun: "run" }));
    assert.deepEqual(await bytesOf(ALICE), [once]);
  }),

  "keeps a content until the last message is deleted that names it": attached(
    async (store, attachments) => {
      await store.write(attaching([PLAN, NOTES]));
      await store.write(attaching([PLAN], { sessionId: HOME }));
      await store.delete(ALICE, { sessionId: WORK, time: 0 });
      assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
      await store.delete(ALICE, { sessionId: HOME, time: 0 });
      assert.deepEqual(await filesOf(attachments), []);
    },
  ),

  "drops what only the replaced run named, and keeps what the new one names too": attached(
    async (store, attachments) => {
      await store.write(attaching([PLAN, NOTES], { runId: "one" }));
      await store.write(attaching([PLAN], { runId: "two", replaceRun: "one" }));
      assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
      const without = { ...row("never mind"), sessionId: WORK, runId: "three" };
      const commitment = { sessionId: WORK, messages: [without], replaceRun: "two" };
      await store.write(commit(commitment));
      assert.deepEqual(await filesOf(attachments), []);
    },
  ),

  "drops the contents of idle users, and of all": attached(async (store, attachments) => {
    await store.write(attaching([PLAN]));
    await store.write(attaching([PLAN, NOTES], { userId: BOB, time: 9_000 }));
    await store.deleteIdle({ idleSince: 5_000, except: new Set(), time: 9_000 });
    assert.deepEqual(await filesOf(attachments), []);
    assert.deepEqual(await filesOf(attachments, BOB), ["the plan.txt", "some notes.txt"]);
    await store.deleteAll();
    assert.deepEqual(await filesOf(attachments, BOB), []);
  }),

  "drops what only a run named that is taken back": attached(async (store, attachments) => {
    if (store.edits === undefined) return;
    await store.write(attaching([PLAN], { runId: "one" }));
    await store.write(attaching([PLAN, NOTES], { runId: "two" }));
    await store.edits.undo(ALICE, { sessionId: WORK, runs: 1, time: 0 });
    assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
    await store.edits.undo(ALICE, { sessionId: WORK, runs: 1, time: 0 });
    assert.deepEqual(await filesOf(attachments), []);
  }),

  "drops what only old runs named that are deleted": attached(async (store, attachments) => {
    if (store.edits === undefined) return;
    const old = attaching([PLAN, NOTES], { runId: "old" });
    const createdAt = new Date(1_000).toISOString();
    await store.write({ ...old, messages: old.messages.map((row) => ({ ...row, createdAt })) });
    await store.write(attaching([PLAN], { runId: "new", time: 9_000 }));
    await store.write(attaching([NOTES], { userId: BOB }));
    const before = { sessionId: undefined, before: 5_000, dryRun: false, time: 9_000 };
    assert.deepEqual(await store.edits.clearBefore(ALICE, before), { messages: 1, sessions: 0 });
    assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
    assert.deepEqual(await filesOf(attachments, BOB), ["some notes.txt"]);
  }),

  "keeps a content for the copy of a session, without the session itself": attached(
    async (store, attachments) => {
      if (store.edits === undefined) return;
      await store.write(commit({ sessionId: WORK, messages: [{ ...row("1"), sessionId: WORK }] }));
      await store.write(attaching([PLAN]));
      await store.write(attaching([NOTES], { userId: BOB }));
      await store.edits.fork(ALICE, { sessionId: WORK, to: HOME, time: 0 });
      await store.delete(ALICE, { sessionId: WORK, time: 0 });
      assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
      assert.deepEqual(await filesOf(attachments, BOB), ["some notes.txt"]);
      await store.delete(ALICE, { sessionId: HOME, time: 0 });
      assert.deepEqual(await filesOf(attachments), []);
    },
  ),

  "stores no content with a commit that stores nothing": attached(async (store, attachments) => {
    assert.equal(
      await store.write(attaching([PLAN], { expected: [["key", "1"]] })),
      "STATE_CONFLICT",
    );
    assert.deepEqual(await filesOf(attachments), []);
  }),

  "takes one content under two names, in one message or in several": attached(
    async (store, attachments) => {
      const copy = new File("a copy", PLAN.content);
      await store.write(attaching([PLAN, copy]));
      await store.write(attaching([copy], { sessionId: HOME }));
      await store.delete(ALICE, { sessionId: WORK, time: 0 });
      assert.deepEqual(await filesOf(attachments), ["the plan.txt"]);
    },
  ),
};
