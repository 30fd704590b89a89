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
import { historyCleared, scopeOf } from "./clears.js";
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
import { currentGeneration, recordClearOfAll, recordClears, wasCleared } from "./sqlite-clears.js";
import type { SqliteConnection } from "./sqlite-driver.js";
import { decoded } from "./sqlite-errors.js";
import {
  applyChanges,
  deleteEveryUser,
  deleteSession,
  deleteUser,
  findSession,
  findUser,
  idleUsers,
  insertMessages,
  insertSession,
  insertUser,
  isEmptySession,
  pageOfSession,
  pageOfUser,
  stateOf,
  stateTextOf,
  windowOf,
} from "./sqlite-rows.js";
import { openMemoryFile } from "./sqlite-schema.js";
import { stamp } from "./stamp.js";
import { encodePatch, stateConflict } from "./state.js";

export interface SqliteMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Users that `removeInactive` deletes in one transaction, so that other writers get their turn in between. */
const USERS_PER_BATCH = 50;

/**
 * A memory in one SQLite file, which any number of processes may use at once. It opens on first use; an `add` that has
 * answered is on disk.
 */
export class SqliteMemory implements Memory {
  readonly #path: string;
  readonly #now: () => number;
  #connection: Promise<SqliteConnection> | undefined;
  #closed = false;

  constructor(path: string, { now = Date.now }: SqliteMemoryOptions = {}) {
    this.#path = path;
    this.#now = now;
  }

  async add(
    messages: NewMessage | readonly NewMessage[],
    userId?: string,
    options: AddOptions = {},
  ): Promise<readonly StoredMessage[]> {
    const id = userIdOf(userId);
    const sessionId = sessionIdOf(options);
    const accepted = acceptMessages(messages);
    const changes = encodePatch(options.state);
    const expected = encodePatch(options.expected);
    const { generation } = options;
    return this.#write((connection) => {
      const known = findSession(connection, id, sessionId);
      if (wasCleared(connection, { userId: id, sessionId, born: known?.born, generation }))
        throw historyCleared(id);
      if (expected.some(([key, json]) => stateTextOf(connection, known, key) !== json))
        throw stateConflict(id);
      if (accepted.length === 0 && changes.length === 0) return [];

      const time = this.#now();
      const user = findUser(connection, id) ?? insertUser(connection, id, time);
      const born = currentGeneration(connection);
      const session = known ?? insertSession(connection, user, { sessionId, born, time });
      const stored = stamp(accepted, {
        sessionId,
        firstId: user.nextMessageId,
        latestRunId: session.latestRunId ?? undefined,
        createdAt: new Date(time).toISOString(),
      });
      insertMessages(connection, session, { messages: stored, time });
      applyChanges(connection, session, changes);
      if (stored.length === 0 && isEmptySession(connection, session))
        deleteSession(connection, session);
      return stored;
    });
  }

  async read(userId?: string, options: ReadOptions = {}): Promise<Snapshot> {
    const id = userIdOf(userId);
    const sessionId = sessionIdOf(options);
    const limit = countOf(options.limit, "limit");
    return this.#read((connection) => {
      const session = findSession(connection, id, sessionId);
      return {
        messages: session === undefined ? [] : windowOf(connection, session, limit),
        state: stateOf(connection, session),
        total: session?.total ?? 0,
        generation: currentGeneration(connection),
      };
    });
  }

  async getMessages(userId?: string, options: GetMessagesOptions = {}): Promise<StoredMessage[]> {
    const id = userIdOf(userId);
    const sessionId = oneSessionOf(options);
    const page = pageOf(options);
    return this.#read((connection) => {
      if (sessionId === undefined) {
        const user = findUser(connection, id);
        return user === undefined ? [] : pageOfUser(connection, user, page);
      }
      const session = findSession(connection, id, sessionId);
      return session === undefined ? [] : pageOfSession(connection, session, page);
    });
  }

  async getState(userId?: string, options: SessionOptions = {}): Promise<SessionState> {
    const id = userIdOf(userId);
    const sessionId = sessionIdOf(options);
    return this.#read((connection) => stateOf(connection, findSession(connection, id, sessionId)));
  }

  async size(userId?: string, options: SessionOptions = {}): Promise<number> {
    const id = userIdOf(userId);
    const sessionId = oneSessionOf(options);
    return this.#read((connection) => {
      const row =
        sessionId === undefined ? findUser(connection, id) : findSession(connection, id, sessionId);
      return row?.messages ?? 0;
    });
  }

  async clear(userId?: string, options: SessionOptions = {}): Promise<Deleted> {
    const id = userIdOf(userId);
    const sessionId = oneSessionOf(options);
    return this.#erase((connection) => {
      recordClears(connection, [scopeOf(id, sessionId)], this.#now());
      if (sessionId === undefined) {
        const user = findUser(connection, id);
        if (user !== undefined) deleteUser(connection, user.userKey);
        return { messages: user?.messages ?? 0, sessions: user?.sessions ?? 0 };
      }
      const session = findSession(connection, id, sessionId);
      if (session !== undefined) deleteSession(connection, session);
      return { messages: session?.messages ?? 0, sessions: session === undefined ? 0 : 1 };
    });
  }

  async clearAll(): Promise<DeletedUsers> {
    return this.#erase((connection) => {
      const deleted = connection.get<DeletedUsers>(
        `SELECT count(*) AS users, coalesce(sum(sessions), 0) AS sessions, coalesce(sum(messages), 0) AS messages
         FROM users`,
      );
      deleteEveryUser(connection);
      recordClearOfAll(connection);
      return { ...(deleted as DeletedUsers) };
    });
  }

  async users(): Promise<UserInfo[]> {
    return this.#read((connection) =>
      connection
        .all<Row<UserInfo>>(
          `SELECT user_id AS userId, sessions, messages, last_activity AS lastActivity
           FROM users ORDER BY last_activity DESC, user_key`,
        )
        .map(describe),
    );
  }

  async sessions(userId?: string): Promise<SessionInfo[]> {
    const id = userIdOf(userId);
    return this.#read((connection) =>
      connection
        .all<Row<SessionInfo>>(
          `SELECT session_id AS sessionId, sessions.messages AS messages, runs, bytes,
                  sessions.last_activity AS lastActivity
           FROM sessions JOIN users USING (user_key) WHERE user_id = ?
           ORDER BY sessions.last_activity DESC, session_key`,
          id,
        )
        .map(describe),
    );
  }

  async removeInactive(
    maxAge: number,
    { except = new Set() }: RemoveInactiveOptions = {},
  ): Promise<DeletedUsers> {
    const oldest = this.#now() - durationOf(maxAge, "maxAge");
    const deleted = { users: 0, sessions: 0, messages: 0 };
    for (let after = 0, more = true; more; ) {
      const batch = await this.#write((connection) => {
        const idle = idleUsers(connection, { after, oldest, limit: USERS_PER_BATCH });
        const leaving = idle.filter(({ userId }) => !except.has(userId));
        for (const { userKey } of leaving) deleteUser(connection, userKey);
        const scopes = leaving.map(({ userId }) => scopeOf(userId));
        recordClears(connection, scopes, this.#now());
        return { leaving, seen: idle.length, last: idle.at(-1)?.userKey ?? 0 };
      });
      for (const user of batch.leaving) {
        deleted.users += 1;
        deleted.sessions += user.sessions;
        deleted.messages += user.messages;
      }
      after = batch.last;
      more = batch.seen === USERS_PER_BATCH;
    }
    // Once for all of them, since it rewrites the file.
    if (deleted.users > 0) await this.#erase(() => {});
    return deleted;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  async #read<Result>(work: (connection: SqliteConnection) => Result): Promise<Result> {
    const connection = await this.#open();
    return connection.read(() => work(connection));
  }

  async #write<Result>(work: (connection: SqliteConnection) => Result): Promise<Result> {
    const connection = await this.#open();
    return connection.write(() => work(connection));
  }

  async #erase<Result>(work: (connection: SqliteConnection) => Result): Promise<Result> {
    const connection = await this.#open();
    return connection.erase(() => work(connection));
  }

  #open(): Promise<SqliteConnection> {
    if (this.#closed) throw storeClosed();
    this.#connection ??= openMemoryFile(this.#path).catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }
}

type Row<Info extends { readonly lastActivity: string }> = Omit<Info, "lastActivity"> & {
  readonly lastActivity: number;
};

const describe = <Info extends { readonly lastActivity: string }>(row: Row<Info>): Info =>
  decoded(
    () => ({ ...row, lastActivity: new Date(row.lastActivity).toISOString() }) as unknown as Info,
  );
