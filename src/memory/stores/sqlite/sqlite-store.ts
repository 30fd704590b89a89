import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionId, UserId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { scopeOf, wasCleared } from "../../clear-log.js";
import type { CopyStore, LongSweep, UserCopy } from "../../copy-store.js";
import { limitsNothing } from "../../limits.js";
import type { Deleted, DeletedUsers, Snapshot } from "../../memory.js";
import type {
  At,
  Commit,
  CommitOutcome,
  CountsRow,
  IdleSince,
  InSession,
  NewRow,
  Page,
  SessionRow,
  SessionRowWithState,
  StoreAttachments,
  StoreEdits,
  StoreLimits,
  StoreTokens,
  UserCount,
  UserRow,
  Wanted,
  Window,
} from "../../store.js";
import { contentsOf, insertAttachments } from "./attachment-rows.js";
import { clearRecordOf, currentGeneration, recordClearOfAll, recordClears } from "./clear-rows.js";
import type { SqliteConnection } from "./driver.js";
import { noteChanges, undoRuns } from "./edit-rows.js";
import {
  admitRun,
  limitsOf,
  limitUseOf,
  listLimits,
  removeLimits,
  renewRun,
  setLimits,
  settleRun,
} from "./limit-rows.js";
import { pathOf } from "./path.js";
import {
  applyChanges,
  countUsers,
  deleteEveryUser,
  deleteLastRun,
  deleteSession,
  deleteUser,
  findSession,
  findUser,
  idleUsers,
  insertMessages,
  insertSession,
  insertUser,
  isEmptySession,
  lastRunOf,
  listSessions,
  listUsers,
  listUsersAfter,
  pageOfSession,
  pageOfUser,
  pagesOfUsers,
  type SessionRow as StoredSession,
  stateJsonOf,
} from "./rows.js";
import { openMemoryFile } from "./schema.js";
import { FileChanged, SQLITE_BUSY, SqliteError, storeFailed } from "./sqlite-errors.js";
import { deleteToken, findToken, insertToken, listTokens, noteTokenUse } from "./token-rows.js";
import { Upkeep } from "./upkeep.js";
import { WindowCache } from "./window-cache.js";

/** How many users `deleteIdle` deletes in one transaction, so that other writers need not wait. */
const USERS_PER_BATCH = 50;

/** A session of so many messages is read whole by a search: the index would not save time. */
const READ_WHOLE = 4_000;

/** How many users one page of a list has. */
const USERS_PER_PAGE = 1_000;

/** How often a read-only file is opened, at most, if another process keeps writing to it. */
const MAX_OPENINGS = 5;

export interface SqliteStoreOptions {
  /** Receives one line if other users could read or write the file. Default: ignored. */
  readonly notice?: ((line: string) => void) | undefined;
}

/** Keeps rows in one SQLite file, which is opened on first use. */
export class SqliteStore implements CopyStore {
  readonly atOnce = false;
  readonly #path: string;
  readonly #notice: (line: string) => void;
  #connection: Promise<SqliteConnection> | undefined;
  #upkeep: Upkeep | undefined;
  readonly #windows = new WindowCache();
  /** A connection of its own, since an import reads and writes in turns. */
  #importer: SqliteConnection | undefined;
  #lastImport: Promise<unknown> = Promise.resolve();

  constructor(path: string, { notice = () => {} }: SqliteStoreOptions = {}) {
    this.#path = pathOf(path);
    this.#notice = notice;
  }

  read(userId: UserId, window: Window): Promise<Snapshot> {
    const windows = this.#windows;
    return this.#read(
      (connection) => windows.read(connection, userId, window),
      (connection) => windows.known(connection, userId, window),
    );
  }

  write(commit: Commit): Promise<CommitOutcome> {
    return this.#write(
      (connection) => {
        const known = this.#windows.beginCommit(connection, commit);
        const outcome = writeTo(connection, commit, known);
        const { userId, spent, time } = commit;
        if (spent !== undefined && typeof outcome !== "string")
          settleRun(connection, userId, { ...spent, time });
        return outcome;
      },
      (outcome) => this.#windows.noteCommit(commit, outcome),
    );
  }

  page(
    userId: UserId,
    { sessionId, ...page }: Page & InSession,
  ): Promise<readonly StoredMessage[]> {
    return this.#read((connection) => {
      if (sessionId === undefined) {
        const user = findUser(connection, userId);
        return user === undefined ? [] : pageOfUser(connection, user, page);
      }
      const session = findSession(connection, userId, sessionId);
      return session === undefined ? [] : pageOfSession(connection, session, page);
    });
  }

  /** Builds what is missing of the index first, each block in a transaction of its own. */
  async search(userId: UserId, wanted: Wanted): Promise<readonly StoredMessage[]> {
    const { sessionId } = wanted;
    const { findInSession, findMessages } = await import("./search-rows.js");
    const session = await this.#read((connection) =>
      sessionId === undefined ? undefined : findSession(connection, userId, sessionId),
    );
    const isShort = sessionId !== undefined && (session?.messages ?? 0) <= READ_WHOLE;
    if (!isShort) await this.#completeIndex(userId, wanted);
    return this.#read((connection) => {
      if (isShort) {
        const known = findSession(connection, userId, sessionId);
        return known === undefined ? [] : findInSession(connection, known, wanted);
      }
      const user = findUser(connection, userId);
      return user === undefined ? [] : findMessages(connection, user, wanted);
    });
  }

  async #completeIndex(userId: UserId, { signal, onIndexing }: Wanted): Promise<void> {
    for (let share = await this.#indexMore(userId); share !== undefined; ) {
      onIndexing?.(share);
      // Others get their turn between two blocks.
      await nextTurn();
      signal?.throwIfAborted();
      share = await this.#indexMore(userId);
    }
  }

  /** Builds one more block of the user's index, if one is missing and can be written. */
  async #indexMore(userId: UserId): Promise<number | undefined> {
    const { indexNextBlock, nextGap } = await import("./search-rows.js");
    const isMissing = (connection: SqliteConnection): boolean => {
      const user = findUser(connection, userId);
      return user !== undefined && nextGap(connection, user) !== undefined;
    };
    const needsBlock = await this.#read(
      (connection) => !connection.isReadOnly && isMissing(connection),
    );
    if (!needsBlock) return undefined;
    return this.#writeLightly((connection) => {
      const user = findUser(connection, userId);
      return user && indexNextBlock(connection, user);
    });
  }

  size(userId: UserId, { sessionId }: InSession): Promise<number> {
    return this.#read((connection) => {
      const row =
        sessionId === undefined
          ? findUser(connection, userId)
          : findSession(connection, userId, sessionId);
      return row?.messages ?? 0;
    });
  }

  sessions(
    userId: UserId,
    { limit }: Pick<Page, "limit"> = { limit: Infinity },
  ): Promise<SessionRow[]> {
    return this.#read((connection) => listSessions(connection, userId, limit));
  }

  async counts(userId: UserId, { sessionId }: InSession): Promise<CountsRow> {
    const { countsOfSession, countsOfUser } = await import("./session-rows.js");
    return this.#read((connection) =>
      sessionId === undefined
        ? countsOfUser(connection, userId)
        : countsOfSession(connection, userId, sessionId),
    );
  }

  async *sessionsById(userId: UserId): AsyncGenerator<readonly SessionRowWithState[]> {
    const { pagesAfter } = await import("../../session-pages.js");
    const { listSessionsAfter } = await import("./session-rows.js");
    yield* pagesAfter((after) =>
      this.#read((connection) => listSessionsAfter(connection, userId, after)),
    );
  }

  users({ limit }: Pick<Page, "limit"> = { limit: Infinity }): Promise<UserRow[]> {
    return this.#read((connection) => listUsers(connection, limit));
  }

  /** On a connection of its own, since the list is read for as long as its reader likes. */
  async *usersByActivity(): AsyncGenerator<readonly UserRow[]> {
    const connection = await openMemoryFile(this.#path, { notice: this.#notice });
    try {
      yield* pagesOfUsers(connection, { size: USERS_PER_PAGE });
    } catch (error) {
      throw storeFailed(this.#path, error);
    } finally {
      await connection.close();
    }
  }

  usersAfter(after: string, limit: number): Promise<UserRow[]> {
    return this.#read((connection) => listUsersAfter(connection, after, limit));
  }

  /** Nobody else can write to the file while `pages` are taken. */
  importUser(user: UserCopy, pages: AsyncIterable<readonly StoredMessage[]>): Promise<boolean> {
    const done = this.#lastImport.then(async () => {
      const { importUser } = await import("./import-user.js");
      this.#importer ??= await openMemoryFile(this.#path, { notice: this.#notice });
      const connection = this.#importer;
      return connection.writeSlowly(() => importUser(connection, user, pages));
    });
    this.#lastImport = done.catch(() => undefined);
    return done;
  }

  delete(userId: UserId, { sessionId, time }: InSession & At): Promise<Deleted> {
    return this.#erase((connection) => {
      const deleted =
        sessionId === undefined
          ? eraseUser(connection, userId)
          : eraseSession(connection, userId, sessionId);
      if (deleted.sessions > 0) recordClears(connection, [scopeOf(userId, sessionId)], time);
      return deleted;
    });
  }

  countUsers({ idleSince }: IdleSince): Promise<UserCount> {
    return this.#read((connection) => countUsers(connection, idleSince));
  }

  async deleteIdle({
    idleSince: oldest,
    except,
    time,
    onProgress,
    signal,
  }: LongSweep): Promise<DeletedUsers> {
    const deleted = { users: 0, sessions: 0, messages: 0 };
    for (let after = 0, more = true; more; ) {
      signal?.throwIfAborted();
      const batch = await this.#erase((connection) => {
        const idle = idleUsers(connection, { after, oldest, limit: USERS_PER_BATCH });
        const erased = idle.filter(({ userId }) => !except.has(userId));
        for (const { userKey } of erased) deleteUser(connection, userKey);
        const scopes = erased.map(({ userId }) => scopeOf(userId));
        if (scopes.length > 0) recordClears(connection, scopes, time);
        return { erased, seen: idle.length, last: idle.at(-1)?.userKey ?? 0 };
      });
      for (const user of batch.erased) {
        deleted.users += 1;
        deleted.sessions += user.sessions;
        deleted.messages += user.messages;
      }
      onProgress?.({ ...deleted });
      after = batch.last;
      more = batch.seen === USERS_PER_BATCH;
    }
    return deleted;
  }

  deleteAll(): Promise<DeletedUsers> {
    return this.#erase((connection) => {
      const deleted = deleteEveryUser(connection);
      if (deleted.users > 0) recordClearOfAll(connection);
      return deleted;
    });
  }

  readonly tokens: StoreTokens = {
    insert: (row) => this.#write((connection) => insertToken(connection, row)),
    find: (tokenId) => this.#read((connection) => findToken(connection, tokenId)),
    list: (userId) => this.#read((connection) => listTokens(connection, userId)),
    noteUse: (tokenId, time) =>
      this.#write((connection) => noteTokenUse(connection, tokenId, time)),
    delete: (tokenId) => this.#write((connection) => deleteToken(connection, tokenId)),
  };

  readonly attachments: StoreAttachments = {
    read: (userId, hashes) => this.#read((connection) => contentsOf(connection, userId, hashes)),
  };

  readonly limits: StoreLimits = {
    admit: async (userId, admission) => {
      const isLimited = !limitsNothing(admission.limits);
      const free = isLimited ? undefined : await this.#readIfFree(userId, admission);
      if (free !== undefined) return free;
      return this.#writeLightly((connection) => {
        const use = admitRun(connection, userId, admission);
        return { ...this.#windows.read(connection, userId, admission), use };
      });
    },
    renew: (userId, run) => this.#writeLightly((connection) => renewRun(connection, userId, run)),
    settle: (userId, spent) => this.#write((connection) => settleRun(connection, userId, spent)),
    use: (userId, options) => this.#read((connection) => limitUseOf(connection, userId, options)),
    list: () => this.#read(listLimits),
    set: (userId, limits) => this.#write((connection) => setLimits(connection, userId, limits)),
    remove: (userId) => this.#write((connection) => removeLimits(connection, userId)),
  };

  readonly edits: StoreEdits = {
    clearBefore: async (userId, old) => {
      const { clearBefore } = await import("./old-runs.js");
      return old.dryRun
        ? this.#read((connection) => clearBefore(connection, userId, old))
        : this.#erase((connection) => clearBefore(connection, userId, old));
    },
    undo: (userId, undo) => this.#erase((connection) => undoRuns(connection, userId, undo)),
    fork: async (userId, fork) => {
      const { forkSession } = await import("./fork-session.js");
      return this.#write(
        (connection) => forkSession(connection, userId, fork),
        () => this.#windows.clear(),
      );
    },
  };

  /**
   * The session of a user without any limit; undefined for one who has some, and in a file that
   * cannot be written: what a model answered would be lost, so no run may begin.
   */
  #readIfFree(userId: UserId, window: Window): Promise<Snapshot | undefined> {
    return this.#read((connection) =>
      !connection.isReadOnly && limitsNothing(limitsOf(connection, userId, {}))
        ? this.#windows.read(connection, userId, window)
        : undefined,
    );
  }

  async close(): Promise<void> {
    await this.#lastImport;
    await this.#importer?.close();
    const connection = await this.#connection?.catch(() => undefined);
    if (connection === undefined) return;
    await connection.writesEnded();
    await this.#upkeepOf(connection).finish();
    await connection.close();
  }

  async #read<Result>(
    work: (connection: SqliteConnection) => Result,
    known?: (connection: SqliteConnection) => Result | undefined,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#open();
      try {
        return await connection.read(() => work(connection), known && (() => known(connection)));
      } catch (error) {
        if (!(error instanceof FileChanged)) throw error;
        if (attempt === MAX_OPENINGS) throw storeFailed(this.#path, new SqliteError(SQLITE_BUSY));
      }
      this.#connection = undefined;
      this.#windows.clear();
      await connection.close();
    }
  }

  async #write<Result>(
    work: (connection: SqliteConnection) => Result,
    committed?: (result: Result) => void,
  ): Promise<Result> {
    const connection = await this.#open();
    return await connection.write(() => work(connection), committed);
  }

  /** For what may be lost if the machine loses its power: the disk is not awaited. */
  async #writeLightly<Result>(work: (connection: SqliteConnection) => Result): Promise<Result> {
    const connection = await this.#open();
    return connection.writeLightly(() => work(connection));
  }

  async #erase<Result>(work: (connection: SqliteConnection) => Result): Promise<Result> {
    const result = await this.#write(work, () => this.#windows.clear());
    const connection = await this.#open();
    this.#upkeepOf(connection).schedule();
    return result;
  }

  #upkeepOf(connection: SqliteConnection): Upkeep {
    this.#upkeep ??= new Upkeep(connection);
    return this.#upkeep;
  }

  #open(): Promise<SqliteConnection> {
    this.#connection ??= openMemoryFile(this.#path, { notice: this.#notice }).catch(
      (error: unknown) => {
        this.#connection = undefined;
        throw error;
      },
    );
    return this.#connection;
  }
}

function writeTo(
  connection: SqliteConnection,
  commit: Commit,
  known: StoredSession | undefined,
): CommitOutcome {
  const { userId, sessionId, messages, state, expected, replaceRun, generation, time } = commit;
  const { contents } = commit;
  const total = known?.total ?? 0;
  if ((commit.total ?? total) !== total) return "RUN_CONFLICT";
  const continued = { userId, sessionId, created: known?.created, generation };
  if (wasCleared(clearRecordOf(connection), continued)) return "HISTORY_CLEARED";
  if (expected.some(([key, json]) => stateJsonOf(connection, known, key) !== json))
    return "STATE_CONFLICT";
  if (replaceRun !== undefined && replaceRun !== lastRunOf(connection, known))
    return "RUN_CONFLICT";
  if (messages.length === 0 && state.length === 0) return [];

  const session = known ?? newSession(connection, commit);
  const runId = session.latestRunId ?? commit.newRunId;
  const stored = messages.map((row, index) => complete(row, session.nextMessageId + index, runId));
  if (replaceRun !== undefined) deleteLastRun(connection, session, replaceRun);
  insertMessages(connection, session, { messages: stored, time });
  if (stored.length > 0) noteChanges(connection, session, { id: session.nextMessageId, state });
  if (contents !== undefined)
    insertAttachments(connection, session.userKey, { messages: stored, contents });
  applyChanges(connection, session, state);
  if (stored.length === 0 && isEmptySession(connection, session))
    deleteSession(connection, session);
  return stored;
}

function newSession(
  connection: SqliteConnection,
  { userId, sessionId, time }: Commit,
): StoredSession {
  const user = findUser(connection, userId) ?? insertUser(connection, userId, time);
  const created = currentGeneration(connection);
  return insertSession(connection, user, { sessionId, created, time });
}

/** Copies the row, because the transaction may be repeated. */
const complete = (row: NewRow, id: number, runId: string): StoredMessage => ({
  ...row,
  id,
  runId: row.runId ?? runId,
});

function eraseUser(connection: SqliteConnection, userId: UserId): Deleted {
  const user = findUser(connection, userId);
  if (user === undefined) return { messages: 0, sessions: 0 };
  deleteUser(connection, user.userKey);
  return { messages: user.messages, sessions: user.sessions };
}

function eraseSession(connection: SqliteConnection, userId: UserId, sessionId: SessionId): Deleted {
  const session = findSession(connection, userId, sessionId);
  if (session === undefined) return { messages: 0, sessions: 0 };
  deleteSession(connection, session);
  return { messages: session.messages, sessions: 1 };
}
