import type { NewMessage, StoredMessage } from "../messages.js";

/** A value that is there at once or later: `await` takes both. */
export type Awaitable<T> = T | Promise<T>;

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Session state: JSON values by key. Always a null-prototype object, so that `__proto__` is only a key. */
export type SessionState = Record<string, JsonValue>;

/** Changes to a session state. A key set to `undefined` is deleted; keys not named stay as they are. */
export type StatePatch = Readonly<Record<string, JsonValue | undefined>>;

export interface SessionOptions {
  readonly sessionId?: string | undefined;
}

export interface AddOptions extends SessionOptions {
  readonly state?: StatePatch | undefined;
  /**
   * What the caller read of some keys; `undefined` means that the key was not there. When the stored value of one of
   * them is another by now, nothing is stored and `STATE_CONFLICT` is thrown. Values are compared as JSON text, so pass
   * them as they were read.
   */
  readonly expected?: StatePatch | undefined;
  /**
   * The id of the run whose place these messages take: the one that the session ends with, system messages aside. It goes
   * in the same step in which they are stored, and not before. What it changed in the session state stays. When the
   * session ends with another run by now, nothing is stored and `RUN_CONFLICT` is thrown.
   */
  readonly replaceRun?: string | undefined;
  /** What `read` answered. When the user or session was cleared since, nothing is stored and `HISTORY_CLEARED` is thrown. */
  readonly generation?: number | undefined;
}

export interface ReadOptions extends SessionOptions {
  /** The most recent messages to return, counted in messages. System messages come in addition. Default, and `Infinity`: all. */
  readonly limit?: number | undefined;
}

/**
 * A page of messages. Without `after` it is the most recent ones, and `before` pages back from there; with `after` it is
 * the oldest ones above that id, so `after: 0` reads a history from its beginning.
 */
export interface GetMessagesOptions extends SessionOptions {
  /** How many messages to return, system messages included. Default: all. */
  readonly limit?: number | undefined;
  /**
   * The page ends with the message with which content and arguments of tool calls come to more characters than this, so
   * it is never empty for a message that is long. Default: no bound.
   */
  readonly maxCharacters?: number | undefined;
  /** Only messages with an `id` below this one: pass the first id of a page to get the page before it. */
  readonly before?: number | undefined;
  /** Only messages with an `id` above this one: pass the last id of a page to get the page after it. */
  readonly after?: number | undefined;
}

/** All that a run needs of a session. */
export interface Snapshot {
  /** Oldest first. May share frozen values with the memory. */
  readonly messages: readonly StoredMessage[];
  readonly state: SessionState;
  /** Messages ever added to this session since it was last cleared or nothing of it was left, trimmed ones included. */
  readonly total: number;
  /** Goes back into `add`, see there. */
  readonly generation: number;
}

export interface Deleted {
  readonly messages: number;
  readonly sessions: number;
}

export interface DeletedUsers extends Deleted {
  readonly users: number;
}

export interface UserInfo {
  readonly userId: string;
  readonly sessions: number;
  readonly messages: number;
  /** ISO 8601, UTC. */
  readonly lastActivity: string;
}

export interface SessionInfo {
  readonly sessionId: string;
  readonly messages: number;
  readonly runs: number;
  /** Bytes of the stored messages as JSON text in UTF-8. */
  readonly bytes: number;
  /** ISO 8601, UTC. */
  readonly lastActivity: string;
}

export interface RemoveInactiveOptions {
  /** Users to leave alone however idle they are, since a run of theirs is in flight. */
  readonly except?: ReadonlySet<string> | undefined;
  /** Delete them also when they are more than half of all users. Default: false. */
  readonly force?: boolean | undefined;
}

/**
 * Where history and session state are kept, by user and session. The same promises for every implementation
 * (`memoryConformance` in `agno-chat/testing` checks them):
 *
 * - A missing or empty user id means the user `default`. Any other id is validated and never changed.
 * - `add`, `read` and `getState` without a session mean the session `default`; `getMessages`, `size` and `clear`
 *   without one mean all sessions of that user.
 * - What is returned is the caller's own: changing it changes nothing stored.
 * - A method answers at once or with a promise, and throws or rejects with an `AgnoChatError`; after `close`, with
 *   `STORE_CLOSED`.
 */
export interface Memory {
  /** Stores one or many messages and a state patch of one session: all of it or nothing. Returns what was stored. */
  add(
    messages: NewMessage | readonly NewMessage[],
    userId?: string,
    options?: AddOptions,
  ): Awaitable<readonly StoredMessage[]>;

  /** All that a run needs, in one trip. */
  read(userId?: string, options?: ReadOptions): Awaitable<Snapshot>;

  /** Oldest first; `[]` for a user never seen. Without a limit, `before` or `after`: all. */
  getMessages(userId?: string, options?: GetMessagesOptions): Awaitable<StoredMessage[]>;

  /** Empty for a session never seen. */
  getState(userId?: string, options?: SessionOptions): Awaitable<SessionState>;

  /** Number of messages kept; 0 for a user never seen. */
  size(userId?: string, options?: SessionOptions): Awaitable<number>;

  /** Deletes messages and session state of one user, or of one session of that user. */
  clear(userId?: string, options?: SessionOptions): Awaitable<Deleted>;

  /** Deletes everything of every user. */
  clearAll(): Awaitable<DeletedUsers>;

  /** Every user with something stored, the most recently active first. */
  users(): Awaitable<UserInfo[]>;

  /** The sessions of one user, the most recently active first. */
  sessions(userId?: string): Awaitable<SessionInfo[]>;

  /**
   * Deletes everything of the users whose last activity is longer ago than `maxAge`; with `Infinity` nobody.
   *
   * A clock that is wrong makes everybody look inactive. So when it would be more than half of all users, and more than
   * five, nothing is deleted and `TOO_MANY_INACTIVE` is thrown, unless `force` is set.
   * @param maxAge Milliseconds.
   */
  removeInactive(maxAge: number, options?: RemoveInactiveOptions): Awaitable<DeletedUsers>;

  /** Frees what it holds, whatever happens; what was stored stays stored. A second call does nothing. */
  close(): Awaitable<void>;
}
