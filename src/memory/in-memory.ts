import type { NewMessage, StoredMessage } from "../messages.js";
import { acceptMessages } from "./accept.js";
import {
  countOf,
  durationOf,
  oneSessionOf,
  pageOf,
  sessionIdOf,
  storeClosed,
  userIdOf,
} from "./arguments.js";
import { ClearLog, historyCleared, scopeOf } from "./clears.js";
import type {
  AddOptions,
  Deleted,
  DeletedUsers,
  GetMessagesOptions,
  Memory,
  ReadOptions,
  RemoveInactiveOptions,
  SessionInfo,
  SessionOptions,
  SessionState,
  Snapshot,
  UserInfo,
} from "./memory.js";
import { SessionHistory } from "./session-history.js";
import { copyMessage, stamp } from "./stamp.js";
import { decodeState, encodePatch, type StateChange, stateConflict } from "./state.js";
import { UserHistory } from "./user-history.js";

export interface InMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * A memory in this process. Every method answers at once.
 *
 * With `maxMessages`, each user keeps at most so many messages over all sessions: the runs whose latest message is oldest
 * go first and whole, system messages stay, and the newest run stays however long it is. A session of which nothing
 * is left is forgotten.
 */
export class InMemory implements Memory {
  readonly #maxMessages: number;
  readonly #now: () => number;
  #users = new Map<string, UserHistory>();
  readonly #clears = new ClearLog();
  #latest = { time: Number.NaN, iso: "" };
  #closed = false;

  constructor(maxMessages = Infinity, { now = Date.now }: InMemoryOptions = {}) {
    this.#maxMessages = countOf(maxMessages, "maxMessages");
    this.#now = now;
  }

  add(
    messages: NewMessage | readonly NewMessage[],
    userId?: string,
    options: AddOptions = {},
  ): readonly StoredMessage[] {
    const id = this.#userId(userId);
    const sessionId = sessionIdOf(options);
    const accepted = acceptMessages(messages);
    const changes = encodePatch(options.state);
    const expected = encodePatch(options.expected);
    const known = this.#users.get(id);
    const { born, state } = known?.sessions.get(sessionId) ?? {};
    if (this.#clears.wasCleared({ userId: id, sessionId, born, generation: options.generation }))
      throw historyCleared(id);
    if (expected.some(([key, json]) => state?.get(key) !== json)) throw stateConflict(id);
    if (accepted.length === 0 && changes.length === 0) return [];

    const user = known ?? new UserHistory(this.#maxMessages);
    const session =
      user.sessions.get(sessionId) ?? new SessionHistory(sessionId, this.#clears.generation);
    const time = this.#now();
    const stored = stamp(accepted, {
      sessionId,
      firstId: user.nextId,
      latestRunId: session.latestRunId,
      createdAt: this.#isoOf(time),
    });
    this.#users.set(id, user);
    user.sessions.set(sessionId, session);
    user.lastActivity = session.lastActivity = time;
    applyChanges(session, changes);
    user.append(session, stored);
    if (session.size === 0 && session.state.size === 0) this.#remove(id, user, session);
    return stored;
  }

  read(userId?: string, options: ReadOptions = {}): Snapshot {
    const session = this.#session(userId, options);
    const limit = countOf(options.limit, "limit");
    return {
      messages: session?.window(limit) ?? [],
      state: decodeState(session?.state ?? []),
      total: session?.total ?? 0,
      generation: this.#clears.generation,
    };
  }

  getMessages(userId?: string, options: GetMessagesOptions = {}): StoredMessage[] {
    const user = this.#users.get(this.#userId(userId));
    const sessionId = oneSessionOf(options);
    const page = pageOf(options);
    const history = sessionId === undefined ? user : user?.sessions.get(sessionId);
    return (history?.page(page) ?? []).map(copyMessage);
  }

  getState(userId?: string, options: SessionOptions = {}): SessionState {
    return decodeState(this.#session(userId, options)?.state ?? []);
  }

  size(userId?: string, options: SessionOptions = {}): number {
    const user = this.#users.get(this.#userId(userId));
    const sessionId = oneSessionOf(options);
    return (sessionId === undefined ? user : user?.sessions.get(sessionId))?.size ?? 0;
  }

  clear(userId?: string, options: SessionOptions = {}): Deleted {
    const id = this.#userId(userId);
    const sessionId = oneSessionOf(options);
    const user = this.#users.get(id);
    this.#clears.record(scopeOf(id, sessionId), this.#now());
    if (user === undefined) return { messages: 0, sessions: 0 };
    if (sessionId === undefined) {
      this.#users.delete(id);
      return { messages: user.size, sessions: user.sessions.size };
    }
    const session = user.sessions.get(sessionId);
    if (session === undefined) return { messages: 0, sessions: 0 };
    this.#remove(id, user, session);
    return { messages: session.size, sessions: 1 };
  }

  clearAll(): DeletedUsers {
    this.#assertOpen();
    const deleted = tally(this.#users.values());
    this.#users = new Map();
    this.#clears.recordAll();
    return deleted;
  }

  users(): UserInfo[] {
    this.#assertOpen();
    return [...this.#users]
      .sort(([, left], [, right]) => right.lastActivity - left.lastActivity)
      .map(([userId, user]) => ({
        userId,
        sessions: user.sessions.size,
        messages: user.size,
        lastActivity: new Date(user.lastActivity).toISOString(),
      }));
  }

  sessions(userId?: string): SessionInfo[] {
    const user = this.#users.get(this.#userId(userId));
    return [...(user?.sessions.values() ?? [])]
      .sort((left, right) => right.lastActivity - left.lastActivity)
      .map(describeSession);
  }

  removeInactive(maxAge: number, { except }: RemoveInactiveOptions = {}): DeletedUsers {
    this.#assertOpen();
    const now = this.#now();
    const oldest = now - durationOf(maxAge, "maxAge");
    const idle = [...this.#users].filter(
      ([userId, user]) => user.lastActivity < oldest && !except?.has(userId),
    );
    for (const [userId] of idle) {
      this.#users.delete(userId);
      this.#clears.record(scopeOf(userId), now);
    }
    return tally(idle.map(([, user]) => user));
  }

  close(): void {
    this.#closed = true;
    this.#users = new Map();
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  #userId(userId: string | undefined): string {
    this.#assertOpen();
    // Only valid ids are ever stored, so a known one needs no second look.
    return userId !== undefined && this.#users.has(userId) ? userId : userIdOf(userId);
  }

  /** Many adds fall into one millisecond, and writing a time out costs as much as the rest of an add. */
  #isoOf(time: number): string {
    if (time !== this.#latest.time) this.#latest = { time, iso: new Date(time).toISOString() };
    return this.#latest.iso;
  }

  #session(userId: string | undefined, options: SessionOptions): SessionHistory | undefined {
    const user = this.#users.get(this.#userId(userId));
    return user?.sessions.get(sessionIdOf(options));
  }

  #remove(userId: string, user: UserHistory, session: SessionHistory): void {
    user.remove(session);
    if (user.sessions.size === 0) this.#users.delete(userId);
  }
}

function applyChanges(session: SessionHistory, changes: readonly StateChange[]): void {
  for (const [key, json] of changes) {
    if (json === undefined) session.state.delete(key);
    else session.state.set(key, json);
  }
}

function describeSession(session: SessionHistory): SessionInfo {
  const messages = session.window(Infinity);
  return {
    sessionId: session.sessionId,
    messages: messages.length,
    runs: messages.filter(({ role }) => role === "user").length,
    bytes: messages.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0),
    lastActivity: new Date(session.lastActivity).toISOString(),
  };
}

function tally(users: Iterable<UserHistory>): DeletedUsers {
  const deleted = { users: 0, sessions: 0, messages: 0 };
  for (const user of users) {
    deleted.users += 1;
    deleted.sessions += user.sessions.size;
    deleted.messages += user.size;
  }
  return deleted;
}
