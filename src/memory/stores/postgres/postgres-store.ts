import { storedUserId, type UserId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { scopeOf } from "../../clear-log.js";
import type { CopyStore, LongSweep, UserCopy } from "../../copy-store.js";
import type { Deleted, DeletedUsers, Snapshot } from "../../memory.js";
import { MOST_CHARACTERS, MOST_SESSIONS, pagesAfter } from "../../session-pages.js";
import type {
  At,
  Commit,
  CommitOutcome,
  CountsRow,
  IdleSince,
  InSession,
  Page,
  SessionRow,
  SessionRowWithState,
  StoreLeases,
  UserCount,
  UserRow,
  Wanted,
  Window,
} from "../../store.js";
import type { Database, Row, SqlValue } from "./client.js";
import { importUser } from "./import-user.js";
import { openDatabase } from "./open-database.js";
import { attachedArguments, PostgresAttachments } from "./postgres-attachments.js";
import { PostgresEdits } from "./postgres-edits.js";
import { storeFailed } from "./postgres-errors.js";
import { admitArguments, admittedIn, PostgresLimits } from "./postgres-limits.js";
import { PostgresTokens } from "./postgres-tokens.js";
import { type Attempt, repeatRead, repeatWrite } from "./repeat.js";
import {
  countOf,
  limitOf,
  pageArguments,
  pageOf,
  snapshotOf,
  stateOf,
  storedRows,
  writeArguments,
} from "./rows.js";
import { findInSession, findMessages, indexNextBlock, lacksBlock } from "./search.js";
import { type DatabaseAddress, nameOf, parseDatabaseUrl } from "./url.js";
import { UserQueues } from "./user-queues.js";

/** How many users `deleteIdle` deletes in one transaction, so that other writers need not wait. */
const USERS_PER_BATCH = 50;

/** How many transactions of `deleteIdle` are under way at once. */
const BATCHES = 4;

/** A session of so many messages is read whole by a search: the index would not save time. */
const READ_WHOLE = 4_000;

/** How many users one page of a list has. */
const USERS_PER_PAGE = 1_000;

/** Rows in a PostgreSQL database, which is opened on first use. */
export class PostgresStore implements CopyStore {
  readonly atOnce = false;
  readonly #address: DatabaseAddress;
  readonly #queues = new UserQueues();
  readonly #underWay = new Set<Promise<unknown>>();
  #opened: Promise<Database> | undefined;

  constructor(url: string) {
    this.#address = parseDatabaseUrl(url);
  }

  read(userId: UserId, { sessionId, limit }: Window): Promise<Snapshot> {
    return this.#run(async () => {
      const rows = await this.#read("read_v1", [userId, sessionId, limitOf(limit)]);
      return snapshotOf(textsOf(rows), sessionId);
    });
  }

  write(commit: Commit): Promise<CommitOutcome> {
    return this.#run(() =>
      this.#queues.inOrder(commit.userId, async () => {
        const commitId = crypto.randomUUID();
        const [name, first] = writeFunctionFor(commit);
        const row = await this.#write(name, ({ isRepeat }) => [
          ...first,
          ...writeArguments(commit, { commitId, isRepeat }),
        ]);
        const [outcome, firstId, run] = row as readonly [
          "STORED" | Extract<CommitOutcome, string>,
          number,
          string | null,
        ];
        return outcome === "STORED" ? storedRows(commit.messages, { firstId, run }) : outcome;
      }),
    );
  }

  page(userId: UserId, { sessionId, ...page }: Page & InSession): Promise<StoredMessage[]> {
    return this.#run(async () => {
      const bounds = pageArguments(page);
      const rows =
        sessionId === undefined
          ? await this.#read("user_page_v1", [userId, ...bounds])
          : await this.#read("page_v1", [userId, sessionId, ...bounds]);
      return pageOf(textsOf(rows));
    });
  }

  /** Builds what is missing of the index first, each block in a transaction of its own. */
  search(userId: UserId, wanted: Wanted): Promise<readonly StoredMessage[]> {
    return this.#run(async () => {
      const database = await this.#open();
      const { sessionId } = wanted;
      if (sessionId !== undefined) {
        const [row] = await this.#read("size_v1", [userId, sessionId]);
        if (((row?.[0] as number | null) ?? 0) <= READ_WHOLE)
          return repeatRead(() => database.snapshot((ask) => findInSession(ask, userId, wanted)));
      }
      // A block that may have been stored is no longer missing, so this may be done again.
      while (await repeatRead(() => lacksBlock(database.ask, userId))) {
        wanted.signal?.throwIfAborted();
        const index = () => database.transaction((ask) => indexNextBlock(ask, userId));
        const share = await repeatRead(index);
        wanted.onIndexing?.(share);
      }
      return repeatRead(() => database.snapshot((ask) => findMessages(ask, userId, wanted)));
    });
  }

  size(userId: UserId, { sessionId }: InSession): Promise<number> {
    return this.#run(async () => {
      const [row] = await this.#read("size_v1", [userId, sessionId ?? null]);
      return (row?.[0] as number | null) ?? 0;
    });
  }

  sessions(
    userId: UserId,
    { limit }: Pick<Page, "limit"> = { limit: Infinity },
  ): Promise<SessionRow[]> {
    return this.#run(async () => {
      const rows = await this.#read("sessions_v2", [userId, limitOf(limit)]);
      return rows.map((row) => {
        const [sessionId, messages, runs, bytes, lastActivity] = row as SessionColumns;
        return { sessionId, messages, runs, bytes, lastActivity };
      });
    });
  }

  counts(userId: UserId, { sessionId }: InSession): Promise<CountsRow> {
    return this.#run(async () => {
      const [row = []] = await this.#read("counts_v1", [userId, sessionId ?? null]);
      const [sessions, messages, runs, bytes, lastActivity] = row as CountColumns;
      return { sessions, messages, runs, bytes, lastActivity: lastActivity ?? undefined };
    });
  }

  sessionsById(userId: UserId): AsyncGenerator<readonly SessionRowWithState[]> {
    return pagesAfter((after) =>
      this.#run(async () => {
        const values = [userId, after, MOST_SESSIONS, MOST_CHARACTERS];
        return (await this.#read("sessions_by_id_v1", values)).map(sessionIn);
      }),
    );
  }

  users({ limit }: Pick<Page, "limit"> = { limit: Infinity }): Promise<UserRow[]> {
    return this.#run(async () => {
      const database = await this.#open();
      return repeatRead(() => listedUsers(database, limit));
    });
  }

  /** Is not repeated: a list that has begun cannot begin again. */
  async *usersByActivity(): AsyncGenerator<readonly UserRow[]> {
    try {
      const database = await this.#open();
      for await (const rows of database.pages(USERS_BY_ACTIVITY, USERS_PER_PAGE))
        yield rows.map(userIn);
    } catch (error) {
      throw storeFailed(nameOf(this.#address), error);
    }
  }

  usersAfter(after: string, limit: number): Promise<UserRow[]> {
    return this.#run(async () => (await this.#read("users_v1", [after, limit])).map(userIn));
  }

  /** Is not repeated: after a lost connection the caller checks whether the user was stored. */
  importUser(user: UserCopy, pages: AsyncIterable<readonly StoredMessage[]>): Promise<boolean> {
    return this.#run(async () => {
      const database = await this.#open();
      return database.transaction((ask) => importUser(ask, user, pages));
    });
  }

  countUsers({ idleSince }: IdleSince): Promise<UserCount> {
    return this.#run(async () => {
      const [row = []] = await this.#read("count_users_v1", [idleSince]);
      const [users, idle] = row as readonly [number, number];
      return { users, idle };
    });
  }

  delete(userId: UserId, { sessionId, time }: InSession & At): Promise<Deleted> {
    const scope = scopeOf(userId, sessionId);
    return this.#run(() =>
      this.#queues.inOrder(userId, async () => {
        const values = [userId, sessionId ?? null, scope, time, crypto.randomUUID()];
        const row = await this.#write("delete_v1", () => values);
        const [sessions, messages] = row as readonly [number, number];
        return { sessions, messages };
      }),
    );
  }

  deleteIdle(sweep: LongSweep): Promise<DeletedUsers> {
    const { idleSince, except, onProgress, signal } = sweep;
    const size = USERS_PER_BATCH * BATCHES;
    return this.#run(async () => {
      let deleted: DeletedUsers = { users: 0, sessions: 0, messages: 0 };
      for (let after = "", more = true; more; ) {
        signal?.throwIfAborted();
        const idle = textsOf(await this.#read("idle_users_v1", [idleSince, after, size]));
        const leaving = idle.map(storedUserId).filter((userId) => !except.has(userId));
        const done = await Promise.allSettled(
          batchesOf(leaving).map((userIds) => this.#deleteIdleUsers(userIds, sweep)),
        );
        for (const each of done) {
          if (each.status === "rejected") throw each.reason;
          deleted = sumOf(deleted, each.value);
        }
        onProgress?.(deleted);
        after = idle.at(-1) ?? "";
        more = idle.length === size;
      }
      return deleted;
    });
  }

  deleteAll(): Promise<DeletedUsers> {
    return this.#run(async () => {
      const values = [Date.now(), crypto.randomUUID()];
      const row = await this.#write("delete_all_v1", () => values);
      const [users, sessions, messages] = row as readonly [number, number, number];
      return { users, sessions, messages };
    });
  }

  /** Taken and renewed like reads, again and again: whoever has it already gets it again. */
  readonly leases: StoreLeases = {
    take: ({ userId, sessionId, holder }, { limit, ms, admission }) =>
      this.#run(async () => {
        const rows =
          admission === undefined
            ? await this.#read("take_lease_v1", [userId, sessionId, limitOf(limit), holder, ms])
            : await this.#read("admit_leased_v1", [
                ...[holder, ms],
                ...admitArguments(userId, { sessionId, limit, ...admission }),
              ]);
        const [first] = rows;
        if (first === undefined) return undefined;
        const lease = { userId, sessionId, holder, fence: first[0] as number };
        const lines = rows.map(([, ...line]) => line);
        if (admission !== undefined) return { lease, snapshot: admittedIn(lines, sessionId) };
        return { lease, snapshot: snapshotOf(textsOf(lines), sessionId) };
      }),

    renew: ({ userId, sessionId, holder, fence }, { ms }) =>
      this.#run(async () => {
        const values = [userId, sessionId, holder, fence, ms];
        const [[isHeld] = []] = await this.#read("renew_lease_v1", values);
        return isHeld === true;
      }),

    release: ({ userId, sessionId, holder }) =>
      this.#run(async () => {
        const database = await this.#open();
        await database.call("release_lease_v1", [userId, sessionId, holder]);
      }),
  };

  readonly tokens = new PostgresTokens({
    read: (name, values) => this.#run(() => this.#read(name, values)),
    write: (name, valuesOf) => this.#run(() => this.#write(name, valuesOf)),
  });

  readonly edits = new PostgresEdits({
    write: (userId, name, valuesOf) =>
      this.#run(() => this.#queues.inOrder(userId, () => this.#write(name, valuesOf))),
  });
  readonly attachments = new PostgresAttachments((name, values) =>
    this.#run(() => this.#read(name, values)),
  );

  readonly limits = new PostgresLimits({
    read: (name, values) => this.#run(() => this.#read(name, values)),
    write: (name, values) => this.#run(() => this.#write(name, () => values)),
  });

  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    const database = await this.#opened?.catch(() => undefined);
    await database?.close();
  }

  async #deleteIdleUsers(
    userIds: readonly UserId[],
    { idleSince, time }: LongSweep,
  ): Promise<DeletedUsers> {
    const scopes = userIds.map((userId) => scopeOf(userId));
    const values = [userIds, scopes, idleSince, time, crypto.randomUUID()];
    const row = await this.#write("delete_idle_v1", () => values);
    const [users, sessions, messages] = row as readonly [number, number, number];
    return { users, sessions, messages };
  }

  /** Runs `work`, which `close` waits for, and explains its failure. */
  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = work();
    this.#underWay.add(done);
    try {
      return await done;
    } catch (error) {
      throw storeFailed(nameOf(this.#address), error);
    } finally {
      this.#underWay.delete(done);
    }
  }

  async #read(name: string, values: readonly SqlValue[]): Promise<Row[]> {
    const database = await this.#open();
    return repeatRead(() => database.call(name, values));
  }

  async #write(name: string, valuesOf: (attempt: Attempt) => readonly SqlValue[]): Promise<Row> {
    const database = await this.#open();
    const [row = []] = await repeatWrite((attempt) => database.call(name, valuesOf(attempt)));
    return row;
  }

  #open(): Promise<Database> {
    this.#opened ??= openDatabase(this.#address).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}

/** The function that stores this commit, and its arguments before those of `write_v1`. */
function writeFunctionFor({
  lease,
  spent,
  messages,
  contents,
  total,
}: Commit): readonly [string, SqlValue[]] {
  const held = lease === undefined ? [null, null] : [lease.holder, lease.fence];
  if (contents !== undefined || total !== undefined) {
    const attached = attachedArguments(messages, contents ?? new Map());
    const first = [...attached, spent?.runId ?? null, spent?.tokens ?? null, ...held];
    return total === undefined
      ? ["write_attached_v1", first]
      : ["write_after_v1", [countOf(total), ...first]];
  }
  if (spent !== undefined) return ["write_run_v1", [spent.runId, spent.tokens, ...held]];
  return lease === undefined ? ["write_v1", []] : ["write_leased_v1", held];
}

type SessionColumns = readonly [
  sessionId: string,
  messages: number,
  runs: number,
  bytes: number,
  lastActivity: number,
];

type CountColumns = readonly [
  sessions: number,
  messages: number,
  runs: number,
  bytes: number,
  lastActivity: number | null,
];

function sessionIn(row: Row): SessionRowWithState {
  const [sessionId, messages, runs, bytes, lastActivity, total, state] = row as readonly [
    ...SessionColumns,
    total: number,
    state: string,
  ];
  return {
    sessionId,
    messages,
    runs,
    bytes,
    lastActivity,
    total,
    state: stateOf(JSON.parse(state)),
  };
}

/** Sorted by the server, on its disk if they are many. */
const USERS_BY_ACTIVITY = `
  SELECT user_id, sessions, messages, last_activity FROM agno_chat.users_v1('', NULL)
  ORDER BY last_activity DESC, user_id COLLATE "C"`;

async function listedUsers(database: Database, limit: number): Promise<UserRow[]> {
  const users: UserRow[] = [];
  const select = limit === Infinity ? USERS_BY_ACTIVITY : `${USERS_BY_ACTIVITY} LIMIT ${limit}`;
  for await (const rows of database.pages(select, USERS_PER_PAGE))
    for (const row of rows) users.push(userIn(row));
  return users;
}

function userIn(row: Row): UserRow {
  const [userId, sessions, messages, lastActivity] = row as UserColumns;
  return { userId, sessions, messages, lastActivity };
}

type UserColumns = readonly [
  userId: string,
  sessions: number,
  messages: number,
  lastActivity: number,
];

const textsOf = (rows: readonly Row[]): string[] => rows.map(([text]) => text as string);

const batchesOf = (userIds: readonly UserId[]): UserId[][] =>
  Array.from({ length: Math.ceil(userIds.length / USERS_PER_BATCH) }, (_, index) =>
    userIds.slice(index * USERS_PER_BATCH, (index + 1) * USERS_PER_BATCH),
  );

const sumOf = (one: DeletedUsers, other: DeletedUsers): DeletedUsers => ({
  users: one.users + other.users,
  sessions: one.sessions + other.sessions,
  messages: one.messages + other.messages,
});
