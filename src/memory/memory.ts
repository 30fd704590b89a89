import type { SessionId, UserId } from "../ids.js";
import type { Contents, NewMessage, StoredMessage } from "../messages.js";

/** A value, or a promise of one: `await` accepts both. */
export type Awaitable<T> = T | Promise<T>;

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** JSON values by key. Always a null-prototype object, so that `__proto__` is a plain key. */
export type SessionState = Record<string, JsonValue>;

/** Changes to a session state. A key set to `undefined` is deleted; other keys are kept. */
export type StatePatch = Readonly<Record<string, JsonValue | undefined>>;

export interface SessionOptions {
  readonly sessionId?: string | undefined;
}

export interface AddOptions extends SessionOptions {
  readonly state?: StatePatch | undefined;
  /**
   * The values that the caller has read for some keys; `undefined` means that there was no value.
   * If the stored value of any of them is different by now, stores nothing and throws
   * `STATE_CONFLICT`. Values are compared as JSON text, so pass them exactly as read.
   */
  readonly expected?: StatePatch | undefined;
  /**
   * The id of the run that these messages replace. It must be the last run of the session, ignoring
   * system messages; otherwise stores nothing and throws `RUN_CONFLICT`. The run is removed in the
   * same step in which the messages are stored. Its changes to the session state are kept.
   */
  readonly replaceRun?: string | undefined;
  /**
   * The `generation` that `read` returned. If the user or session was cleared since, stores nothing
   * and throws `HISTORY_CLEARED`.
   */
  readonly generation?: number | undefined;
  /**
   * The `total` that `read` returned. If the session has another by now, because somebody else has
   * added to it, stores nothing and throws `RUN_CONFLICT`.
   */
  readonly total?: number | undefined;
  /**
   * What `leases.take` returned. If another run has taken it over, stores nothing and throws
   * `LEASE_LOST`. When the messages are stored, it is given back in the same step.
   */
  readonly lease?: Lease | undefined;
  /** Settles a run that `limits.admit` has admitted, in the step that stores the messages. */
  readonly spent?: Spent | undefined;
  /**
   * The contents of all attachments that the messages name, by hash. Stored in the same step, once
   * for each user and hash, and deleted with the last message of the user that names it.
   */
  readonly contents?: Contents | undefined;
}

export interface ReadOptions extends SessionOptions {
  /**
   * How many of the most recent messages to return. All system messages are returned in addition.
   * Default: `Infinity`.
   */
  readonly limit?: number | undefined;
}

/**
 * A page of messages. Without `after` it holds the most recent messages, and `before` pages
 * backward from there. With `after` it holds the oldest messages above that id, so `after: 0`
 * starts at the beginning of a history.
 */
export interface GetMessagesOptions extends SessionOptions {
  /** How many messages to return, system messages included. Default: all. */
  readonly limit?: number | undefined;
  /**
   * The page ends with the message that exceeds this number of characters, counting content and
   * arguments of tool calls, so a long message is still returned. Default: no limit.
   */
  readonly maxCharacters?: number | undefined;
  /** Only messages with a smaller `id`. The first id of a page gives the page before it. */
  readonly before?: number | undefined;
  /** Only messages with a larger `id`. The last id of a page gives the page after it. */
  readonly after?: number | undefined;
}

/** Everything that a run needs to know about its session. */
export interface Snapshot {
  /** Oldest first. May share frozen values with the memory. */
  readonly messages: readonly StoredMessage[];
  readonly state: SessionState;
  /** How many messages were added since the session was created, without replaced ones. */
  readonly total: number;
  /** Pass it to `add`, which then refuses to continue a history that was cleared. */
  readonly generation: number;
  /** Only of a run that `limits.admit` has admitted: what limits the user, this run included. */
  readonly use?: readonly LimitUse[];
}

/** A request to be the only run in a session. */
export interface Claim {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  /** A UUID of this one run. */
  readonly holder: string;
}

/** The right to run in a session. */
export interface Lease extends Claim {
  /** Larger than that of every earlier lease of the session. */
  readonly fence: number;
}

/** A lease, and the session as it was when it was taken. */
export interface Leased {
  readonly lease: Lease;
  readonly snapshot: Snapshot;
}

export interface TakeOptions extends Pick<ReadOptions, "limit"> {
  /** Admits the run in the same trip, once the lease is free; throws as `limits.admit` does. */
  readonly admission?: Admission | undefined;
}

/**
 * One run at a time per user and session, over any number of processes. A lease lasts for
 * 30 seconds by the clock of the database; then somebody else may take it over, unless it was
 * renewed.
 */
export interface Leases {
  /**
   * Takes the lease and reads the session, in one call. `undefined` if somebody else has it: ask
   * again soon, and you are the next to get it. Who has it already gets it again.
   */
  take(claim: Claim, options?: TakeOptions): Promise<Leased | undefined>;

  /** Makes it last from now on. False if somebody else has taken it over. */
  renew(lease: Lease): Promise<boolean>;

  /** Gives the lease back, or waits for it no longer. */
  release(claim: Claim): Promise<void>;
}

/** What one user may use. What is left out is not limited. Whole numbers from 0 up. */
export interface Limits {
  /** Runs that begin in a minute, which starts with the first of them. */
  readonly requestsPerMinute?: number | undefined;
  /** Runs under way, in all sessions and on all servers. */
  readonly runsAtOnce?: number | undefined;
  /** Input and output tokens of a UTC day. The run that exceeds it is finished. */
  readonly tokensPerDay?: number | undefined;
  /** Bytes of stored messages, as `sessions` counts them. */
  readonly bytesKept?: number | undefined;
}

export type LimitName = keyof Limits;

/** How much of a limit a user has used. */
export interface LimitUse {
  readonly limit: LimitName;
  readonly used: number;
  /** Undefined if it is not limited. */
  readonly allowed: number | undefined;
}

/** A run that asks to begin. */
export interface Admission {
  /** A UUID. */
  readonly runId: string;
  /** For a user who has none of their own. */
  readonly limits: Limits;
}

/** What a run that has ended has used. */
export interface Spent {
  readonly runId: string;
  readonly tokens: number;
}

export interface UserWithLimits {
  readonly userId: string;
  readonly limits: Limits;
}

/**
 * What users may use, and have used. All servers on one store count together. A user's own limits
 * come before those that a run brings for everybody. Clearing a user changes neither their limits
 * nor what they have spent today.
 */
export interface UserLimits {
  /**
   * Admits a run and reads its session, in one trip.
   * @throws {AgnoChatError} `BUDGET` for tokens and bytes, `RATE_LIMITED` for requests, `BUSY` for
   *   runs at once. A run that is refused counts nowhere.
   */
  admit(userId: string | undefined, options: Admission & ReadOptions): Awaitable<Snapshot>;

  /** Keeps a run counted as under way, which otherwise ends after 30 seconds. */
  renew(userId: string | undefined, runId: string): Awaitable<void>;

  /** Ends a run that stores nothing, and counts its tokens. One that does passes them to `add`. */
  settle(userId: string | undefined, spent: Spent): Awaitable<void>;

  /** All limits of a user; `limits` as for a run. */
  use(userId: string | undefined, limits: Limits): Awaitable<readonly LimitUse[]>;

  /** Users with limits of their own, by id. */
  list(): Awaitable<readonly UserWithLimits[]>;

  /** Sets limits of one user; those that are left out stay as they are. */
  set(userId: string, limits: Limits): Awaitable<void>;

  /** The user has the limits of everybody again. Returns whether they had their own. */
  remove(userId: string): Awaitable<boolean>;
}

export interface SearchOptions extends SessionOptions {
  /** Only messages of this time or later: milliseconds since 1970. Default: all. */
  readonly since?: number | undefined;
  /** How many hits to return, from 1 to 1,000. Default: 10. */
  readonly limit?: number | undefined;
  /** Makes a search that builds an index throw the signal's reason. What it has built stays. */
  readonly signal?: AbortSignal | undefined;
  /** Called while an index is built, with the share of the user's messages it covers: 0 to 1. */
  readonly onIndexing?: ((share: number) => void) | undefined;
}

/** A piece of an excerpt. The pieces in a row are the excerpt. */
export interface ExcerptPart {
  readonly text: string;
  /** Only of a piece that was searched for. */
  readonly isMatch?: true;
}

/** A message that has all of the words. */
export interface SearchHit extends Pick<StoredMessage, "id" | "runId" | "sessionId" | "role"> {
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** About 160 characters around the words, on one line. */
  readonly excerpt: readonly ExcerptPart[];
}

export interface SearchResult {
  /** Best first. */
  readonly hits: readonly SearchHit[];
  /** How many messages have all of the words. Counted up to 1,000, newest first. */
  readonly found: number;
}

/** The contents of attachments. A user has none but those that their own messages name. */
export interface Attachments {
  /** The contents with these hashes; those that the user does not have are left out. */
  read(userId: string | undefined, hashes: readonly string[]): Awaitable<Contents>;
}

export interface Deleted {
  readonly messages: number;
  readonly sessions: number;
}

export interface UndoOptions extends SessionOptions {
  /** How many of the last runs to take back, from 1 up. Default: 1. */
  readonly runs?: number | undefined;
}

/** What was taken back. */
export interface Undone {
  readonly runs: number;
  readonly messages: number;
}

export interface ForkOptions extends SessionOptions {
  /** The id of the copy, which must be a new session of the user. */
  readonly to: string;
}

export interface ClearBeforeOptions extends SessionOptions {
  /** Milliseconds since 1970. */
  readonly before: number;
  /** Only counts what would be deleted. */
  readonly dryRun?: boolean | undefined;
}

/** What was copied. */
export interface Forked {
  readonly messages: number;
}

/** Changes to what is stored already. */
export interface Edits {
  /**
   * Deletes the runs of a user, or of one of their sessions, that ended before this time: all of
   * their messages are older. System messages and session state stay, unless the session's last
   * activity was before it: then the whole session is deleted. A run under way in a session that
   * loses something ends with `HISTORY_CLEARED`.
   */
  clearBefore(userId: string | undefined, options: ClearBeforeOptions): Awaitable<Deleted>;

  /**
   * Takes back the last runs of a session, or all if it has fewer: their messages are deleted, and
   * every key of the session state that they changed has the value from before again. System
   * messages stay. A run under way elsewhere in the session ends with `HISTORY_CLEARED`. The
   * session is `default` unless it is named.
   * @throws {AgnoChatError} `INVALID_INPUT` for a run that changed the session state before its
   *   last 20 changes: earlier values are not kept
   */
  undo(userId?: string, options?: UndoOptions): Awaitable<Undone>;

  /**
   * Copies a session, `default` unless it is named, with its state. The messages get ids of their
   * own and keep everything else; runs of the copy can be taken back as those of the original.
   * @throws {AgnoChatError} `SESSION_EXISTS`; `INVALID_INPUT` if there is nothing to copy
   */
  fork(userId: string | undefined, options: ForkOptions): Awaitable<Forked>;
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

export interface UsersOptions {
  /** How many users to return, at most. Default: all. */
  readonly limit?: number | undefined;
}

export interface SessionsOptions {
  /** How many sessions to return, at most. Default: all. */
  readonly limit?: number | undefined;
}

export interface SessionInfo {
  readonly sessionId: string;
  readonly messages: number;
  readonly runs: number;
  /**
   * Bytes of the stored messages as JSON text in UTF-8. Each also counts the contents of its
   * attachments, even if another message has the same.
   */
  readonly bytes: number;
  /** ISO 8601, UTC. */
  readonly lastActivity: string;
}

/** What is kept of a user, or of one of their sessions, in numbers. */
export interface Counts extends Pick<SessionInfo, "messages" | "runs" | "bytes"> {
  /** Of one session: 1, or 0 if there is no such session. */
  readonly sessions: number;
  /** The latest of these sessions; ISO 8601, UTC. Undefined if there are none. */
  readonly lastActivity: string | undefined;
}

/** A session without its messages. */
export interface SessionWithState extends SessionInfo {
  /** As in `Snapshot`. */
  readonly total: number;
  readonly state: SessionState;
}

export interface RemoveInactiveOptions {
  /**
   * Users who are kept even if they are inactive, for example because a run is in progress.
   * `INVALID_USER_ID` if one cannot be a user.
   */
  readonly except?: ReadonlySet<string> | undefined;
  /** Delete even more than half of all users. Default: false. */
  readonly force?: boolean | undefined;
}

/** What is known of a token. The token itself is kept nowhere. */
export interface TokenInfo {
  /** Names the token; worth nothing without its secret. */
  readonly tokenId: string;
  readonly userId: string;
  readonly label?: string;
  /** ISO 8601, UTC. So are the others. */
  readonly createdAt: string;
  /** Absent if it does not expire. */
  readonly expiresAt?: string;
  /** To the minute. Absent if it was never used. */
  readonly lastUsedAt?: string;
}

export interface NewToken extends TokenInfo {
  /** Shown this once. */
  readonly token: string;
}

export interface TokenOptions {
  /** What the token is for, to tell it from others: up to 100 visible characters. */
  readonly label?: string | undefined;
  /** In milliseconds. Default: it does not expire. */
  readonly expiresIn?: number | undefined;
}

/**
 * What lets a user in at a server. A token is 256 random bits, of which the store keeps the SHA-256
 * alone. Tokens are access, not conversation: clearing a user leaves theirs, and `revoke` ends them
 * at once, for every server on the store.
 */
export interface Tokens {
  /** @throws {AgnoChatError} rejects with `INVALID_USER_ID`, `INVALID_INPUT` */
  create(userId: string, options?: TokenOptions): Promise<NewToken>;
  /** Of one user, or of all; oldest first. Expired ones too. */
  list(userId?: string): Promise<TokenInfo[]>;
  /** Returns whether there was such a token. */
  revoke(tokenId: string): Promise<boolean>;
  /** The token's own description; undefined for anything that is not a valid token now. */
  check(token: string): Promise<TokenInfo | undefined>;
  /** Whether the token is still valid. */
  isValid(tokenId: string): Promise<boolean>;
}

/**
 * Keeps history and session state by user and session. Every implementation keeps these promises,
 * which `memoryConformance` in `agno-chat/testing` checks:
 *
 * - A missing or empty user id means the user `default`. Any other id is validated and never
 *   changed.
 * - Without a session id, `add`, `read` and `getState` use the session `default`; `getMessages`,
 *   `size` and `clear` use all sessions of the user.
 * - Changing a returned value changes nothing that is stored.
 * - A method returns a value or a promise, and throws or rejects with an `AgnoChatError`; after
 *   `close`, with `STORE_CLOSED`.
 * @example
 * const memory: Memory = await openMemory("memory:");
 * await memory.add([userMessage("Hi"), assistantMessage("Hello")], "alice", { sessionId: "work" });
 * console.log(await memory.size("alice"), await memory.size("bob")); // 2 0
 * await memory.clear("alice", { sessionId: "work" });
 * await memory.close();
 */
export interface Memory {
  /**
   * Stores messages and a state patch of one session, all or none of them. Returns the messages as
   * stored.
   */
  add(
    messages: NewMessage | readonly NewMessage[],
    userId?: string,
    options?: AddOptions,
  ): Awaitable<readonly StoredMessage[]>;

  /** Returns everything that a run needs in one call. */
  read(userId?: string, options?: ReadOptions): Awaitable<Snapshot>;

  /** Oldest first. Without options, all messages of the user; `[]` for an unknown user. */
  getMessages(userId?: string, options?: GetMessagesOptions): Awaitable<StoredMessage[]>;

  /** Empty for an unknown session. */
  getState(userId?: string, options?: SessionOptions): Awaitable<SessionState>;

  /** The number of stored messages; 0 for an unknown user. */
  size(userId?: string, options?: SessionOptions): Awaitable<number>;

  /**
   * Finds the user's messages that have all of these words, also as parts of words, whatever their
   * case and accents; words in quotation marks are one phrase, and no other character is special.
   * First come messages with the words side by side, then those with each as a whole word, then the
   * others; within these, the newest. Of more than 1,000 messages, the newest 1,000 are ranked.
   *
   * Left out by a memory that cannot search.
   */
  search?(words: string, userId?: string, options?: SearchOptions): Awaitable<SearchResult>;

  /** Deletes the messages and state of one user, or of one of their sessions. */
  clear(userId?: string, options?: SessionOptions): Awaitable<Deleted>;

  /** Deletes the messages and state of all users. */
  clearAll(): Awaitable<DeletedUsers>;

  /** All users with a message or state, most recently active first. */
  users(options?: UsersOptions): Awaitable<UserInfo[]>;

  /** The sessions of one user, most recently active first. */
  sessions(userId?: string, options?: SessionsOptions): Awaitable<SessionInfo[]>;

  /**
   * Counts what is kept of one user, or of one of their sessions: what `sessions` lists, summed up.
   *
   * Left out by a memory that only lists them.
   */
  counts?(userId?: string, options?: SessionOptions): Awaitable<Counts>;

  /**
   * The sessions of one user with their states, page by page, for a user who may have more than fit
   * in memory: by id, in the order of code points. Each page is read when it is asked for, so a
   * session that is created or cleared meanwhile may be there or not.
   *
   * Left out by a memory that only lists all at once.
   */
  sessionsById?(userId?: string): AsyncIterable<readonly SessionWithState[]>;

  /**
   * Deletes the users whose last activity is longer ago than `maxAge`.
   *
   * A wrong clock makes all users look inactive. So if it would delete more than five users, and
   * more than half of all, it deletes none and throws `TOO_MANY_INACTIVE`, unless `force` is set.
   * @param maxAge Milliseconds. `Infinity` deletes no one.
   */
  removeInactive(maxAge: number, options?: RemoveInactiveOptions): Awaitable<DeletedUsers>;

  /** Only a memory that several servers share has leases. */
  readonly leases?: Leases | undefined;

  /** What lets users in at a server. A memory of conversations alone has none. */
  readonly tokens?: Tokens | undefined;
  /** What users may use. Needed by an agent with `limits`. */
  readonly limits?: UserLimits | undefined;
  /** Takes back runs and copies sessions. */
  readonly edits?: Edits | undefined;
  /** Needed for messages with attachments, which `add` refuses otherwise. */
  readonly attachments?: Attachments | undefined;

  /** Releases files and connections. Stored data is kept. A second call does nothing. */
  close(): Awaitable<void>;
}
