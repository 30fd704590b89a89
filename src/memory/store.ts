import type { Message, StoredFields, StoredMessage } from "../messages.js";
import type { Deleted, DeletedUsers, Snapshot } from "./memory.js";
import type { StateChange } from "./state.js";

/** What a store answers: the value itself when it answers at once, otherwise a promise of it. */
export type Answer<AtOnce extends boolean, T> = AtOnce extends true ? T : Promise<T>;

/**
 * A place for rows. `StoreMemory` puts the meaning of a `Memory` on top: a store is given valid ids, checked messages and
 * JSON texts, and says what became of them. `storeConformance` in `agno-chat/testing` checks every rule written here.
 *
 * - Users exist while they have a session; sessions exist while they have a message or a state key. What was emptied is
 *   gone: from `users`, from `sessions`, and from the counts.
 * - Every row belongs to one user. Each method but `deleteIdle`, `deleteAll`, `users` and `close` touches the rows of the
 *   user it names and no other's, whatever the ids look like. Ids are compared exactly, code point by code point.
 * - Each method is atomic: it sees one moment of the store, and what it changes is stored whole or not at all, also
 *   when the process dies. What was answered is durable, as far as the store promises that at all.
 * - Writes of one user that were called one after the other are stored in that order, also when none is awaited.
 * - Texts are kept exactly, with NUL and half surrogate pairs.
 * - What is returned is never changed again by the store: it is new, or frozen through and through.
 * - A failure is an `AgnoChatError` with a `STORE_…` code, one line, without anybody's text.
 */
export interface Store<AtOnce extends boolean = boolean> {
  /** Whether its methods answer at once. Otherwise each returns a promise, and none throws. */
  readonly atOnce: AtOnce;

  /** What a run needs of a session, in one trip. Nothing is remembered of a session that does not exist. */
  read(userId: string, window: Window): Answer<AtOnce, Snapshot>;

  /** Stores the messages and state changes of one session, or says why it stored nothing. */
  write(commit: Commit): Answer<AtOnce, CommitOutcome>;

  /** A page of one session, or of all sessions of the user; oldest first. */
  page(userId: string, page: Page & InSession): Answer<AtOnce, readonly StoredMessage[]>;

  /** How many messages one session has, or all sessions of the user. */
  size(userId: string, scope: InSession): Answer<AtOnce, number>;

  /** The user's sessions, the most recently active first. */
  sessions(userId: string): Answer<AtOnce, readonly SessionRow[]>;

  /** Every user, the most recently active first. */
  users(): Answer<AtOnce, readonly UserRow[]>;

  /** How many users there are, and how many of them `deleteIdle` would find. */
  countUsers(sweep: IdleSince): Answer<AtOnce, UserCount>;

  /** Deletes one session, or all sessions of the user, as a delete of that scope; see `Commit.generation`. */
  delete(userId: string, scope: InSession & At): Answer<AtOnce, Deleted>;

  /**
   * Deletes the users whose last activity is before `idleSince`, each as a delete of that user and atomic by itself: one
   * who was active in the meantime stays. Others are served in between, however many users there are.
   */
  deleteIdle(sweep: Sweep): Answer<AtOnce, DeletedUsers>;

  /** Deletes everything, as a delete of every user there is or was. */
  deleteAll(): Answer<AtOnce, DeletedUsers>;

  /** Frees what it holds, after the calls under way. It is called once, and nothing after it. */
  close(): Answer<AtOnce, void>;
}

/** All sessions of the user when none is named. */
export interface InSession {
  readonly sessionId: string | undefined;
}

export interface At {
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Every system message of the session, and the last `limit` others; `Infinity` means all. */
export interface Window {
  readonly sessionId: string;
  readonly limit: number;
}

/** Which messages of a history to return. */
export interface Page {
  /** `Infinity` means all. */
  readonly limit: number;
  /**
   * The page ends with the message that goes beyond so many characters, see `charactersOf`. `StoreMemory` sees to that: a
   * store may stop reading there, so that long messages hold nobody up, or leave it alone.
   */
  readonly maxCharacters: number;
  /** Only ids below this one; `Infinity` means all. */
  readonly before: number;
  /** Only ids above this one, and the oldest of them; without it, the most recent. */
  readonly after: number | undefined;
}

/** A message to be stored: checked, and complete but for its id and perhaps its run. The store may keep and freeze it. */
export type NewRow = Message &
  Omit<StoredFields, "id" | "runId"> & {
    /** 0: the id is the store's to give. */
    id: number;
    /** `undefined`: that of the session's latest message ever, or `Commit.newRunId` when it never had one. */
    runId: string | undefined;
  };

export interface Commit extends At {
  readonly userId: string;
  readonly sessionId: string;
  /**
   * In order. Their ids count up by one from the user's next id, which begins at 1 and is never used again while the
   * user exists. When there are neither messages nor state changes, only the conditions are checked.
   */
  readonly messages: readonly NewRow[];
  readonly newRunId: string;
  /** A key without a value is deleted, and deleting one that is not there is no change. Other keys stay as they are. */
  readonly state: readonly StateChange[];
  /**
   * Messages to take back in the same write: the last ones of the session that share this run id, system messages aside.
   * They no longer count in `total`. When the session ends with another run, or has none, nothing is stored and the
   * outcome is `RUN_CONFLICT`. It is only given together with messages.
   */
  readonly replaceRun: string | undefined;
  /** On any key whose stored JSON text is another, nothing is stored and the outcome is `STATE_CONFLICT`. */
  readonly expected: readonly StateChange[];
  /**
   * What `read` answered to a caller who continues from there. When the user or the session was deleted since, nothing
   * is stored and the outcome is `HISTORY_CLEARED`; this is checked before `expected`. Without it nothing is checked.
   *
   * The generation is one number of the whole store. Each delete that removed something raises it, and is remembered by
   * its scope: the user, or the session of the user. A delete that found nothing changes nothing. Each session keeps the
   * generation in which it was created. `wasCleared` decides with these:
   *
   * 1. The session was created in this generation or an earlier one: it was never deleted since.
   * 2. Else the user or the session was deleted in a later generation: cleared.
   * 3. A delete is remembered for a day, however many there are. When one later than this generation was forgotten,
   *    nobody can tell any more, and it counts as cleared, so that nothing comes back. This is only so for a caller who
   *    read a session that did not exist, more than a day ago.
   * 4. A generation that the store never had counts as cleared.
   */
  readonly generation: number | undefined;
  /**
   * The last activity of user and session becomes this time, unless it is later already: it never goes back, whatever
   * the clock does.
   */
  readonly time: number;
}

/** The messages as they were stored, in order; or why nothing was. */
export type CommitOutcome =
  | readonly StoredMessage[]
  | "HISTORY_CLEARED"
  | "STATE_CONFLICT"
  | "RUN_CONFLICT";

export interface IdleSince {
  /** Milliseconds since 1970, a whole number. */
  readonly idleSince: number;
}

export interface UserCount {
  readonly users: number;
  readonly idle: number;
}

export interface Sweep extends IdleSince, At {
  /** Users who stay however idle they are. */
  readonly except: ReadonlySet<string>;
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
  /** Messages of the role `user`. */
  readonly runs: number;
  /** Bytes of the stored messages as JSON text in UTF-8. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
}
