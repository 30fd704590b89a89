import type { SessionId, UserId } from "../ids.js";
import type { Contents, Message, StoredFields, StoredMessage } from "../messages.js";
import type {
  Admission,
  Awaitable,
  Claim,
  Deleted,
  DeletedUsers,
  Forked,
  Lease,
  Leased,
  Limits,
  LimitUse,
  SessionState,
  Snapshot,
  Spent,
  Undone,
  UserWithLimits,
} from "./memory.js";
import type { Query } from "./search/query.js";
import type { StateChange } from "./state.js";

/** What a store's method returns: a value if `atOnce` is true, otherwise a promise. */
export type Answer<AtOnce extends boolean, T> = AtOnce extends true ? T : Promise<T>;

/**
 * Keeps rows. `StoreMemory` implements `Memory` on top of it, so a store gets valid ids, validated
 * messages and JSON text. `storeConformance` in `agno-chat/testing` checks every rule below,
 * except what only a crash, a second process or the bytes on a disk can show.
 *
 * - A user exists while they have a session, and a session while it has a message or a state key.
 *   Empty users and sessions are removed from `users`, `sessions` and all counts.
 * - Every row belongs to one user. A method that names a user reads and changes only rows of that
 *   user, whatever the ids look like. Ids are compared exactly, code point by code point. They
 *   arrive as `UserId` and `SessionId`, which a plain string cannot stand in for; a store may take
 *   them as plain strings, and returns plain strings.
 * - Each method is atomic: it reads one state of the store, and its changes are stored completely
 *   or not at all, even if the process dies. A method returns only after its changes are durable,
 *   if the store is durable at all.
 * - Writes of one user are stored in the order of the calls, even if they are not awaited.
 * - Several processes may use the same rows at once. A store that serves one process alone says
 *   so, and may then keep in memory what it has read.
 * - Deleted text leaves the disk, at once or soon after: no copy of it stays in a log, in free
 *   pages or in a temporary file of the store.
 * - Text is kept exactly, including NUL and lone surrogates.
 * - The store never changes a value it has returned: it is a new object, or deeply frozen.
 * - A failure is an `AgnoChatError` with a `STORE_…` code. Its message is one line and quotes no
 *   stored text.
 * - A store imports only what `agno-chat` exports. One in `stores/` may also import the contract
 *   and its helpers beside this file, which `.dependency-cruiser.cjs` lists, and nothing of
 *   another store.
 */
export interface Store<AtOnce extends boolean = boolean> {
  /** True if it is synchronous. Otherwise each method returns a promise and never throws. */
  readonly atOnce: AtOnce;

  /** Returns everything a run needs in one call. Does not create the session. */
  read(userId: UserId, window: Window): Answer<AtOnce, Snapshot>;

  /** Stores messages and state changes of one session, or returns why it stored nothing. */
  write(commit: Commit): Answer<AtOnce, CommitOutcome>;

  /** A page of one session, or of all sessions of the user; oldest first. */
  page(userId: UserId, page: Page & InSession): Answer<AtOnce, readonly StoredMessage[]>;

  /**
   * The newest messages that match, newest first. Neither the answer nor the time it takes depends
   * on rows of other users. Left out by a store without an index: `page` is then read to the end.
   */
  readonly search?:
    | ((userId: UserId, wanted: Wanted) => Answer<AtOnce, readonly StoredMessage[]>)
    | undefined;

  /** The number of messages in one session, or in all sessions of the user. */
  size(userId: UserId, scope: InSession): Answer<AtOnce, number>;

  /**
   * The user's sessions, most recently active first. More than `limit` are not needed: a store may
   * leave them out to save time.
   */
  sessions(userId: UserId, list?: Pick<Page, "limit">): Answer<AtOnce, readonly SessionRow[]>;

  /**
   * Sums up what `sessions` returns, of one session or of all. Left out by a store whose users have
   * few sessions: `sessions` is then used.
   */
  readonly counts?: ((userId: UserId, scope: InSession) => Answer<AtOnce, CountsRow>) | undefined;

  /**
   * The user's sessions with their states, page by page, by id in the order of code points. A page
   * is from one moment and never empty, and ends where `isFull` says, so that it fits in memory.
   * Left out by a store whose users have few sessions: `sessions` and `read` are then used.
   */
  readonly sessionsById?:
    | ((userId: UserId) => AsyncIterable<readonly SessionRowWithState[]>)
    | undefined;

  /**
   * All users, most recently active first. More than `limit` are not needed: a store may leave them
   * out to save time.
   */
  users(list?: Pick<Page, "limit">): Answer<AtOnce, readonly UserRow[]>;

  /** Counts all users, and those whose last activity is before `idleSince`. */
  countUsers(sweep: IdleSince): Answer<AtOnce, UserCount>;

  /**
   * Deletes one session, or all sessions of the user, and records the delete; see `Commit`. The
   * last activity of a user who has other sessions stays what it was.
   */
  delete(userId: UserId, scope: InSession & At): Answer<AtOnce, Deleted>;

  /**
   * Deletes the users whose last activity is before `idleSince` and records a delete of each. Every
   * user is deleted atomically, so one who becomes active meanwhile is kept. Unless the
   * store is synchronous, other calls must get their turn before all are deleted.
   */
  deleteIdle(sweep: Sweep): Answer<AtOnce, DeletedUsers>;

  /** Deletes everything and records a delete of every user, even of unknown ones. */
  deleteAll(): Answer<AtOnce, DeletedUsers>;

  /** Left out by a store that several servers do not share. */
  readonly leases?: StoreLeases | undefined;

  /** Left out by a store of conversations alone. */
  readonly tokens?: StoreTokens | undefined;
  /** Left out by a store that limits nobody. */
  readonly limits?: StoreLimits | undefined;
  /** Left out by a store that only ever adds and deletes. */
  readonly edits?: StoreEdits | undefined;
  /** Left out by a store of text alone. */
  readonly attachments?: StoreAttachments | undefined;

  /** Waits for pending calls and releases all resources. Called once, as the last call. */
  close(): Answer<AtOnce, void>;
}

/**
 * One run at a time per user and session, over all processes. A lease ends when it is given back,
 * or when its time is over by the clock of the database. Only then can somebody else take it.
 */
export interface StoreLeases {
  /**
   * Takes the lease and reads the session, in one call; `undefined` while somebody else has it, or
   * comes first. Who is refused and asks again within a second is the next to get it. A holder who
   * has it already gets it again, with a larger fence.
   */
  take(claim: Claim, options: TakeLease): Promise<Leased | undefined>;

  /** Makes it last for so long from now on. False if it was given back or is somebody else's. */
  renew(lease: Lease, time: LeaseTime): Promise<boolean>;

  /** Gives the lease back, or waits for it no longer. Tried once, since it ends anyway. */
  release(claim: Claim): Promise<void>;
}

/** `admission`: once the lease is free, as `StoreLimits.admit`, in the same call. */
export interface TakeLease extends LeaseTime, Pick<Window, "limit"> {
  readonly admission?: (Admission & LeaseTime) | undefined;
}

/**
 * What users may use and have used. `Limits` of a call are those of everybody; a user's own come
 * first, one by one. Counted together over all processes, by the clock of the database if it has
 * one, otherwise by `time`:
 *
 * - Requests count in a minute that begins with the first run admitted after the one before.
 * - Tokens count in the UTC day in which the run was settled.
 * - A run is under way from its admission until it is settled, or until its time is over.
 * - Bytes are the sum of `SessionRow.bytes`.
 *
 * Deletes change none of this, except that they may forget what was spent before yesterday.
 */
export interface StoreLimits {
  /**
   * Reads as `Store.read` does, and admits the run, in one call. Nothing but a lookup is added for
   * a user without any limit. If the same run asks again, it counts once.
   * @throws {AgnoChatError} what `refuseOver` throws if a limit is used up; then nothing is counted
   */
  admit(userId: UserId, admission: Window & Admission & LeaseTime & At): Awaitable<Snapshot>;

  /** Makes the run count as under way for so long from now on, if it still does. */
  renew(userId: UserId, run: Pick<Admission, "runId"> & LeaseTime & At): Awaitable<void>;

  /** Ends the run and counts its tokens. `Commit.spent` does so in the write. */
  settle(userId: UserId, spent: Spent & At): Awaitable<void>;

  /** All four, in the order of `LIMIT_NAMES`. */
  use(userId: UserId, limits: { readonly limits: Limits } & At): Awaitable<readonly LimitUse[]>;

  /** By user id. */
  list(): Awaitable<readonly UserWithLimits[]>;

  /** Changes the limits that are given. */
  set(userId: UserId, limits: Limits): Awaitable<void>;

  /** Returns whether there were any. */
  remove(userId: UserId): Awaitable<boolean>;
}

/**
 * Changes to what is stored already.
 *
 * To give a session state back, a store keeps what each commit with messages has changed of it: the
 * key, its value before, and the id of the commit's first message. It keeps that of the last
 * `CHANGES_KEPT` such commits of a session, and no longer than the session.
 */
export interface StoreEdits {
  /**
   * In one session or in all of the user: deletes each session whose last activity is before this
   * time, as `Store.delete` does. Of the others, deletes the messages of every run of which all are
   * from before it, ignoring system messages, with what was kept of its changes of the state; what
   * is left can be undone as before. A session that loses something then counts as
   * deleted and created again; see `Commit.generation`. `Snapshot.total` and the last activity stay
   * what they were.
   *
   * `dryRun` changes nothing, and returns what would be deleted.
   */
  clearBefore(userId: UserId, clear: OldRuns): Awaitable<Deleted>;

  /**
   * Removes the last runs of the session, or all if it has fewer. A run is here the messages at the
   * end of the session with one run id, ignoring system messages. Gives every key its value
   * from before the first change that was kept after the message before them. The session then
   * counts as deleted and created again; see `Commit.generation`. Without any run, changes nothing.
   * Changes nothing either, and returns `STATE_UNKNOWN`, if a change after that message is no
   * longer kept.
   */
  undo(userId: UserId, undo: EditedSession & { readonly runs: number }): Awaitable<UndoOutcome>;

  /**
   * Copies messages, state and kept changes into a new session. The copies have the user's next
   * ids, in the same order. Nothing is stored if that session exists, or if there is nothing to
   * copy: `SESSION_EXISTS` and `NOTHING`.
   */
  fork(userId: UserId, fork: EditedSession & { readonly to: SessionId }): Awaitable<ForkOutcome>;
}

export interface OldRuns extends InSession, At {
  /** Milliseconds since 1970. */
  readonly before: number;
  readonly dryRun: boolean;
}

export interface EditedSession extends At {
  readonly sessionId: SessionId;
}

export type UndoOutcome = Undone | "STATE_UNKNOWN";

export type ForkOutcome = Forked | "SESSION_EXISTS" | "NOTHING";

/**
 * Contents of attachments, which come with `Commit.contents`. One is kept for a user and a hash as
 * long as a message of that user names it, and deleted together with the last one that does,
 * whatever deletes that message. Users share none: what one has stored changes nothing, not even
 * the time or the space it takes, for another who stores the same.
 */
export interface StoreAttachments {
  /** The contents that the user has, of these hashes. The caller may change them. */
  read(userId: UserId, hashes: readonly string[]): Awaitable<Contents>;
}

export interface LeaseTime {
  /** How long a lease lasts, in milliseconds. */
  readonly ms: number;
}

/** `undefined` means all sessions of the user. */
export interface InSession {
  readonly sessionId: SessionId | undefined;
}

export interface At {
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** All system messages of the session, and the last `limit` others; `Infinity` means all. */
export interface Window {
  readonly sessionId: SessionId;
  readonly limit: number;
}

/** The messages of a history to return. */
export interface Page {
  /** `Infinity` means all. */
  readonly limit: number;
  /**
   * The page ends with the message that exceeds this number of characters, as `charactersOf` counts
   * them. `StoreMemory` ends it there anyway, so a store may ignore this, or stop reading there to
   * save time.
   */
  readonly maxCharacters: number;
  /** Only ids below this one; `Infinity` means all. */
  readonly before: number;
  /** Only ids above this one, oldest first from there. `undefined`: the most recent messages. */
  readonly after: number | undefined;
}

/** The messages to find. */
export interface Wanted extends InSession {
  readonly query: Query;
  /** Only messages of this time or later: milliseconds since 1970. */
  readonly since: number;
  /** How many to return at most. */
  readonly most: number;
  /** Ends the building of an index; see `SearchOptions`. */
  readonly signal?: AbortSignal | undefined;
  readonly onIndexing?: ((share: number) => void) | undefined;
}

/**
 * A validated message. The store sets its id, and its run id if it has none, and may freeze it.
 */
export type NewRow = Message &
  Omit<StoredFields, "id" | "runId" | "sessionId"> & {
    readonly sessionId: SessionId;
    /** Always 0. */
    id: number;
    /**
     * `undefined` means the run of the message last added to the session, even if `replaceRun` has
     * removed that message, or `Commit.newRunId` if the session never had one.
     */
    runId: string | undefined;
  };

export interface Commit extends At {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  /**
   * In order. Their ids ascend by one from the user's next id, which starts at 1; no id is reused
   * while the user exists. Without messages and state changes, only the conditions are checked.
   */
  readonly messages: readonly NewRow[];
  readonly newRunId: string;
  /** `undefined` deletes a key; deleting a missing key changes nothing. Other keys are kept. */
  readonly state: readonly StateChange[];
  /**
   * The run to remove in the same write: the messages at the end of the session with this run id,
   * ignoring system messages. They no longer count in `total`. If the session ends with another
   * run, or has none, nothing is stored and the outcome is `RUN_CONFLICT`; this is checked last.
   * Only set together with messages.
   */
  readonly replaceRun: string | undefined;
  /** If the stored JSON text of any key differs, nothing is stored: `STATE_CONFLICT`. */
  readonly expected: readonly StateChange[];
  /**
   * The generation that `read` returned to the caller. If the user or session was deleted since,
   * nothing is stored and the outcome is `HISTORY_CLEARED`; this is checked before `expected`.
   * `undefined` skips the check.
   *
   * The generation is one number for the whole store. Each delete that removed something increments
   * it and is remembered by its scope: the user, or the user and session. A delete that found
   * nothing changes nothing. Each session keeps the generation in which it was created.
   * `wasCleared` applies these rules in order:
   *
   * 1. A session that was created in this generation or an earlier one was not deleted since.
   * 2. A generation that the store never had counts as cleared.
   * 3. A delete is remembered for a day, however many there are. If a later delete than this
   *    generation is no longer remembered, it may have been of this user, so it counts as cleared.
   *    This affects only callers who read a session that did not exist, more than a day ago.
   * 4. Otherwise the session was cleared if it or its user was deleted in a later generation.
   */
  readonly generation: number | undefined;
  /**
   * The `Snapshot.total` that `read` returned to the caller. If the session has another, nothing is
   * stored and the outcome is `RUN_CONFLICT`; this is checked before everything else. A session
   * that does not exist has 0. `undefined` skips the check.
   */
  readonly total?: number | undefined;
  /**
   * Only given to a store with `leases`. If it was given back or is somebody else's, nothing is
   * stored and the outcome is `LEASE_LOST`; this is checked right after `total`. When the commit is
   * stored, the lease is given back in the same step, and who takes it next reads what was stored.
   */
  readonly lease?: Lease | undefined;
  /** Only given to a store with `limits`: settles this run in the same step as it is stored. */
  readonly spent?: Spent | undefined;
  /**
   * Only given to a store with `attachments`: the contents of all attachments that the messages
   * name, by hash. The caller may change them later.
   */
  readonly contents?: Contents | undefined;
  /** The last activity of user and session, unless theirs is later: it never decreases. */
  readonly time: number;
}

/** The stored messages in order, or why nothing was stored. */
export type CommitOutcome =
  | readonly StoredMessage[]
  | "HISTORY_CLEARED"
  | "STATE_CONFLICT"
  | "RUN_CONFLICT"
  | "LEASE_LOST";

export interface IdleSince {
  /** Milliseconds since 1970, a whole number. */
  readonly idleSince: number;
}

export interface UserCount {
  readonly users: number;
  readonly idle: number;
}

export interface Sweep extends IdleSince, At {
  /** Users who are kept even if they are idle. */
  readonly except: ReadonlySet<UserId>;
}

export interface UserRow {
  readonly userId: string;
  readonly sessions: number;
  readonly messages: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
}

export interface SessionRow {
  readonly sessionId: string;
  readonly messages: number;
  /** Messages with the role `user`. */
  readonly runs: number;
  /** The sum of the bytes of its messages: JSON text in UTF-8, and contents of attachments. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
}

/** Some sessions of a user, summed up. */
export interface CountsRow extends Pick<SessionRow, "messages" | "runs" | "bytes"> {
  readonly sessions: number;
  /** The latest of them. Milliseconds since 1970; undefined if there are none. */
  readonly lastActivity: number | undefined;
}

/** A session without its messages. */
export interface SessionRowWithState extends SessionRow {
  /** As in `Snapshot`. */
  readonly total: number;
  readonly state: SessionState;
}

/** A token as it is kept. Times are milliseconds since 1970. */
export interface TokenRow {
  readonly tokenId: string;
  readonly userId: UserId;
  /** SHA-256 of the secret, as 64 hexadecimal digits. */
  readonly hash: string;
  readonly label: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly lastUsedAt: number | undefined;
}

/**
 * The tokens of all users. No delete of a user's data touches them. What one server deletes, no
 * server finds any more.
 */
export interface StoreTokens {
  /** The id is a new one. */
  insert(row: TokenRow): Awaitable<void>;
  find(tokenId: string): Awaitable<TokenRow | undefined>;
  /** Of one user, or of all if that is undefined; oldest first. */
  list(userId: UserId | undefined): Awaitable<readonly TokenRow[]>;
  /** `lastUsedAt` never decreases. */
  noteUse(tokenId: string, time: number): Awaitable<void>;
  /** Returns whether there was one. */
  delete(tokenId: string): Awaitable<boolean>;
}
