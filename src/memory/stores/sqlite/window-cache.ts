import { frozen } from "../../../frozen.js";
import type { UserId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { charactersOf } from "../../measure.js";
import type { Commit, CommitOutcome } from "../../store.js";
import type { SqliteConnection } from "./driver.js";
import { type SessionRow, windowOf } from "./rows.js";

/** The most text to keep, in UTF-16 units: at most 16 MB, about 40,000 messages of a chat. */
const MOST_CHARACTERS = 8_000_000;

/** What a message takes besides its text. */
const CHARACTERS_PER_MESSAGE = 100;

interface CachedWindow {
  readonly limit: number;
  /** The session when it was read. */
  readonly session: SessionRow;
  /** Frozen at every depth, because every reader gets the same objects. */
  readonly messages: readonly StoredMessage[];
  readonly characters: number;
}

/**
 * The windows read last, since loading and decoding a history is most of a run. A window is used
 * only as long as nothing has changed: `PRAGMA data_version` tells of commits of other connections,
 * and the session's row of those of this one. Every erasure forgets all windows.
 */
export class WindowCache {
  /** By user and session, least recently used first. */
  readonly #windows = new Map<string, CachedWindow>();
  readonly #mostCharacters: number;
  #characters = 0;
  #version: number | undefined;

  constructor(mostCharacters = MOST_CHARACTERS) {
    this.#mostCharacters = mostCharacters;
  }

  /** Inside a transaction: every system message and the last `limit` others, oldest first. */
  read(
    connection: SqliteConnection,
    { userId, session, limit }: { userId: UserId; session: SessionRow; limit: number },
  ): StoredMessage[] {
    // No history is wanted: that must not cost the window that a run will want.
    if (limit === 0) return windowOf(connection, session, limit);
    this.forgetIfChanged(connection);
    const key = keyOf(userId, session.sessionId);
    const known = this.#windows.get(key);
    if (known !== undefined && known.limit === limit && isSame(known.session, session)) {
      this.#keep(key, known);
      return known.messages.slice();
    }
    const messages = windowOf(connection, session, limit);
    this.#keep(key, { limit, session, messages: messages.map(frozen), characters: sum(messages) });
    return messages;
  }

  /** Inside a transaction, before it writes. */
  forgetIfChanged(connection: SqliteConnection): void {
    const version = connection.get<{ data_version: number }>("PRAGMA data_version")?.data_version;
    if (version !== this.#version) this.clear();
    this.#version = version;
  }

  /** Adds the messages of a commit of this connection. Call it before anything else is read. */
  noteCommit({ userId, sessionId, replaceRun }: Commit, outcome: CommitOutcome): void {
    const key = keyOf(userId, sessionId);
    const known = this.#windows.get(key);
    if (known === undefined || typeof outcome === "string") return;
    if (replaceRun === undefined) this.#keep(key, extended(known, outcome));
    else this.#drop(key);
  }

  clear(): void {
    this.#windows.clear();
    this.#characters = 0;
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

/** Ids never contain NUL, so no two pairs share a key. */
const keyOf = (userId: UserId, sessionId: string): string => `${userId}\0${sessionId}`;

/** Keys of a deleted user or session may be used again, but then it was created later. */
const isSame = (one: SessionRow, other: SessionRow): boolean =>
  one.userKey === other.userKey &&
  one.sessionKey === other.sessionKey &&
  one.created === other.created &&
  one.total === other.total &&
  one.messages === other.messages &&
  one.latestRunId === other.latestRunId;

const sum = (messages: readonly StoredMessage[]): number =>
  messages.reduce((total, message) => total + CHARACTERS_PER_MESSAGE + charactersOf(message), 0);

function extended(
  { limit, session, messages, characters }: CachedWindow,
  added: readonly StoredMessage[],
): CachedWindow {
  const all = messages.concat(added.map(frozen));
  const kept = lastOf(all, limit);
  return {
    limit,
    session: {
      ...session,
      total: session.total + added.length,
      messages: session.messages + added.length,
      latestRunId: added.at(-1)?.runId ?? session.latestRunId,
    },
    messages: kept,
    characters: kept === all ? characters + sum(added) : sum(kept),
  };
}

/** Every system message and the last `limit` others. */
function lastOf(messages: readonly StoredMessage[], limit: number): readonly StoredMessage[] {
  if (messages.length <= limit) return messages;
  let surplus = -limit;
  for (const { role } of messages) if (role !== "system") surplus += 1;
  if (surplus <= 0) return messages;
  return messages.filter(({ role }) => role === "system" || surplus-- <= 0);
}
