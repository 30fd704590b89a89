import { DEFAULT_SESSION_ID, validateUserId } from "../../ids.js";
import type { Commit, NewRow, Store } from "../../memory/store.js";
import type { MemoryFixture } from "../memory/memory-fixture.js";
import type { Checks } from "../suite.js";

/** A store, and a memory over it. */
export interface StoreFixture extends MemoryFixture {
  readonly store: Store;
}

export type StoreChecks = Checks<StoreFixture>;

export const ALICE = validateUserId("alice");

export const SESSION = { sessionId: DEFAULT_SESSION_ID, createdAt: "2026-01-01T00:00:00.000Z" };

export const row = (content: string): NewRow => ({
  role: "user",
  content,
  id: 0,
  runId: "run",
  ...SESSION,
});

/** A commit to the session `default` of alice: empty but for these parts. */
export const commit = (parts: Partial<Commit>): Commit => ({
  userId: ALICE,
  sessionId: SESSION.sessionId,
  messages: [],
  newRunId: "new run",
  state: [],
  expected: [],
  replaceRun: undefined,
  generation: undefined,
  time: 1_000,
  ...parts,
});

export const ALL = {
  sessionId: undefined,
  limit: Infinity,
  maxCharacters: Infinity,
  before: Infinity,
  after: undefined,
};
export const WINDOW = { sessionId: DEFAULT_SESSION_ID, limit: Infinity };
