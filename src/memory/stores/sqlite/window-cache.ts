import { frozen } from "../../../frozen.js";
import type { UserId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { charactersOf } from "../../measure.js";
import type { Snapshot } from "../../memory.js";
import type { Commit, CommitOutcome, Window } from "../../store.js";
import { currentGeneration } from "./clear-rows.js";
import type { SqliteConnection } from "./driver.js";
import {
  findSession,
  type SessionRow,
  type StateRow,
  stateOf,
  stateRowsOf,
  windowOf,
} from "./rows.js";

/** The most text to keep, in UTF-16 units: at most 16 MB, about 40,000 messages of a chat. */
const MOST_CHARACTERS = 8_000_000;

/** What a message takes besides its text. */
const CHARACTERS_PER_MESSAGE = 100;

/** For how many users the next message id is kept. */
const MOST_USERS = 10_000;

interface CachedWindow {
  readonly limit: number;
  /** As it is now, except for `nextMessageId`; see `#nextIds`. */
  readonly session: SessionRow;
  /** Frozen at every depth, because every reader gets the same objects. */
  readonly messages: readonly StoredMessage[];
  /** Undefined after a commit that has changed it. */
  readonly state: readonly StateRow[] | undefined;
  readonly generation: number;
  readonly characters: number;
}

/**
 * The windows read last, since finding, loading and decoding them is most of a run. They are used
 * only as long as nothing has changed: `PRAGMA data_version` tells of commits of other connections,
 * and those of this one are noted here. Every erasure forgets all windows.
 */
export class WindowCache {
  /** By user and session, least recently used first. */
  readonly #windows = new Map<string, CachedWindow>();
  /** Every session of a user takes ids from the same row. */
  readonly #nextIds = new Map<UserId, number>();
  readonly #mostCharacters: number;
  #characters = 0;
  /** Undefined from the beginning of a commit until it is noted. */
  #version: number | undefined;
  #versionOfCommit: number | undefined;

  constructor(mostCharacters = MOST_CHARACTERS) {
    this.#mostCharacters = mostCharacters;
  }

  /** What was read before, if nothing has changed since. At most one statement. */
  known(
    connection: SqliteConnection,
    userId: UserId,
    { sessionId, limit }: Window,
  ): Snapshot | undefined {
    const key = keyOf(userId, sessionId);
    if (!isComplete(this.#windows.get(key), limit)) return undefined;
    this.#forgetIfChanged(connection);
    return this.#take(key, limit);
  }

  /** Inside a transaction. */
  read(connection: SqliteConnection, userId: UserId, window: Window): Snapshot {
    const { sessionId, limit } = window;
    this.#forgetIfChanged(connection);
    const known = this.#take(keyOf(userId, sessionId), limit);
    return known ?? this.#load(connection, userId, window);
  }

  #take(key: string, limit: number): Snapshot | undefined {
    const window = this.#windows.get(key);
    if (!isComplete(window, limit)) return undefined;
    this.#keep(key, window);
    return snapshotOf(window, window.state);
  }

  #load(connection: SqliteConnection, userId: UserId, { sessionId, limit }: Window): Snapshot {
    const generation = currentGeneration(connection);
    const session = findSession(connection, userId, sessionId);
    if (session === undefined) return { messages: [], state: stateOf([]), total: 0, generation };
    const state = stateRowsOf(connection, session);
    // No history is wanted: that must not cost the window that a run will want.
    if (limit === 0)
      return snapshotOf({ session, messages: windowOf(connection, session, 0), generation }, state);
    this.#noteNextId(userId, session.nextMessageId);
    const key = keyOf(userId, sessionId);
    const kept = this.#windows.get(key);
    const messages =
      kept?.limit === limit ? kept.messages : windowOf(connection, session, limit).map(frozen);
    const characters = sumOf(messages) + sumOfState(state);
    this.#keep(key, { limit, session, messages, state, generation, characters });
    return snapshotOf({ session, messages, generation }, state);
  }

  /** Inside a transaction, before it writes: the session. Call `noteCommit` after the commit. */
  beginCommit(connection: SqliteConnection, { userId, sessionId }: Commit): SessionRow | undefined {
    this.#forgetIfChanged(connection);
    this.#versionOfCommit = this.#version;
    this.#version = undefined;
    const session = this.#windows.get(keyOf(userId, sessionId))?.session;
    const nextMessageId = this.#nextIds.get(userId);
    if (session === undefined || nextMessageId === undefined)
      return findSession(connection, userId, sessionId);
    return { ...session, nextMessageId };
  }

  /** Adds the messages of a commit of this connection. Call it before anything else is read. */
  noteCommit(commit: Commit, outcome: CommitOutcome): void {
    this.#version = this.#versionOfCommit;
    if (typeof outcome === "string") return;
    const { userId, sessionId, replaceRun } = commit;
    const key = keyOf(userId, sessionId);
    const last = outcome.at(-1);
    if (last === undefined) {
      // The session may have been empty, and be gone now with its user.
      this.#drop(key);
      this.#nextIds.delete(userId);
      return;
    }
    this.#noteNextId(userId, last.id + 1);
    const window = this.#windows.get(key);
    if (window === undefined) return;
    if (replaceRun === undefined) this.#keep(key, extended(window, commit, outcome));
    else this.#drop(key);
  }

  clear(): void {
    this.#windows.clear();
    this.#nextIds.clear();
    this.#characters = 0;
  }

  #forgetIfChanged(connection: SqliteConnection): void {
    const version = connection.columns<[version: number]>("PRAGMA data_version")?.[0];
    if (version !== this.#version) this.clear();
    this.#version = version;
  }

  #noteNextId(userId: UserId, id: number): void {
    if (this.#nextIds.size >= MOST_USERS) this.#nextIds.clear();
    this.#nextIds.set(userId, id);
  }

  /** Keeps it as the most recently used one, at the cost of others. */
  #keep(key: string, window: CachedWindow): void {
    this.#drop(key);
    if (window.characters > this.#mostCharacters / 2) return;
    this.#windows.set(key, window);
    this.#characters += window.characters;
    for (const oldest of this.#windows.keys()) {
      if (this.#characters <= this.#mostCharacters) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#characters -= this.#windows.get(key)?.characters ?? 0;
    this.#windows.delete(key);
  }
}

const isComplete = (
  window: CachedWindow | undefined,
  limit: number,
): window is CachedWindow & { readonly state: readonly StateRow[] } =>
  window?.state !== undefined && window.limit === limit;

/** Values of its own for every reader, except for the messages, which are frozen. */
const snapshotOf = (
  { session, messages, generation }: Pick<CachedWindow, "session" | "messages" | "generation">,
  state: readonly StateRow[],
): Snapshot => ({
  messages: messages.slice(),
  state: stateOf(state),
  total: session.total,
  generation,
});

/** Ids never contain NUL, so no two pairs share a key. */
const keyOf = (userId: UserId, sessionId: string): string => `${userId}\0${sessionId}`;

const sumOf = (messages: readonly StoredMessage[]): number =>
  messages.reduce((total, message) => total + CHARACTERS_PER_MESSAGE + charactersOf(message), 0);

const sumOfState = (rows: readonly StateRow[]): number =>
  rows.reduce((total, { keyJson, valueJson }) => total + keyJson.length + valueJson.length, 0);

function extended(
  window: CachedWindow,
  { state }: Commit,
  added: readonly StoredMessage[],
): CachedWindow {
  const { limit, session, characters } = window;
  // Not before they were written: what is frozen takes longer to encode. Their values are frozen.
  for (const message of added) Object.freeze(message);
  const all = window.messages.concat(added);
  const { kept: messages, dropped } = lastOf(all, limit);
  return {
    ...window,
    session: {
      ...session,
      total: session.total + added.length,
      messages: session.messages + added.length,
      latestRunId: added.at(-1)?.runId ?? session.latestRunId,
    },
    messages,
    state: state.length === 0 ? window.state : undefined,
    characters: characters + sumOf(added) - sumOf(dropped),
  };
}

/** Every system message and the last `limit` others, and those that are left. */
function lastOf(messages: readonly StoredMessage[], limit: number) {
  const systems: StoredMessage[] = [];
  const dropped: StoredMessage[] = [];
  if (messages.length <= limit) return { kept: messages, dropped };
  let surplus = -limit;
  for (const { role } of messages) if (role !== "system") surplus += 1;
  while (dropped.length < surplus) {
    const message = messages[systems.length + dropped.length] as StoredMessage;
    (message.role === "system" ? systems : dropped).push(message);
  }
  const rest = messages.slice(systems.length + dropped.length);
  return { kept: systems.concat(rest), dropped };
}
