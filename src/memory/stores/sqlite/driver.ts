import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { AgnoChatError } from "../../../errors.js";
import { storeClosed } from "../../failures.js";
import { isSqlite, SQLITE_BUSY, SqliteError, sqliteError, storeFailed } from "./sqlite-errors.js";

/** The part of a prepared statement used here; `@photostructure/sqlite` and `node:sqlite` both have it. */
interface Statement {
  get(...values: readonly SqlValue[]): unknown;
  all(...values: readonly SqlValue[]): unknown[];
  iterate(...values: readonly SqlValue[]): Iterable<unknown>;
  run(...values: readonly SqlValue[]): unknown;
}

interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  function(
    name: string,
    options: { readonly varargs: true },
    work: (...values: SqlValue[]) => null,
  ): void;
  close(): void;
}

export interface Engine {
  readonly DatabaseSync: new (
    path: string,
    options: { readonly timeout: number; readonly readOnly: boolean },
  ) => Database;
}

export type SqlValue = string | number | null;

/** The first version without the write-ahead log's reset race, see https://sqlite.org/wal.html#walresetbug. */
const SAFE_VERSION = [3, 51, 3] as const;

/** How long a call waits for another process to release the file, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

const NODE_SQLITE = "node:sqlite";

const ENGINES: readonly (() => Promise<unknown>)[] = [
  () => import("@photostructure/sqlite"),
  () => import(NODE_SQLITE),
];

/**
 * SQLite as a package, else as Node carries it, if that one is safe to use.
 * @throws {AgnoChatError} `STORE_FAILED`
 */
export async function loadEngine(loaders = ENGINES): Promise<Engine> {
  const causes: unknown[] = [];
  for (const load of loaders) {
    try {
      const engine = (await load()) as Engine;
      assertSafe(engine);
      return engine;
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new AgnoChatError("STORE_FAILED", "Cannot load SQLite on this system.", {
    hint: "Use Node 22.23 or newer, which carries SQLite itself.",
    cause: new AggregateError(causes),
  });
}

function assertSafe({ DatabaseSync }: Engine): void {
  const database = new DatabaseSync(":memory:", { timeout: 0, readOnly: false });
  const { version } = database.prepare("SELECT sqlite_version() AS version").get() as {
    version: string;
  };
  database.close();
  const parts = version.split(".").map(Number);
  const differing = SAFE_VERSION.findIndex((part, index) => part !== parts[index]);
  if (differing !== -1 && (parts[differing] ?? 0) < (SAFE_VERSION[differing] as number))
    throw new Error(`SQLite ${version} is too old`);
}

/**
 * How a file is only read: `at-rest`, as it is, when nobody writes to it; `with-log`, beside others, who keep a log.
 * Neither makes files of our own beside it.
 */
export type Reading = "at-rest" | "with-log";

export interface ConnectionOptions {
  /** Without it, the file is read and written. */
  readonly reading?: Reading | undefined;
  /** What whoever writes is told instead. */
  readonly refusal?: unknown;
  /** Called at the end of every transaction; what it throws takes the transaction back. */
  readonly check?: () => void;
}

const locationOf = (path: string, reading: Reading): string =>
  `${pathToFileURL(path).href}?${reading === "at-rest" ? "immutable=1" : "readonly_shm=1"}`;

/**
 * One open file. Work on it is synchronous and whole inside a transaction; only waiting for other processes is not.
 * SQLite's own waiting is unfair between processes, so it is off and short random sleeps stand in for it.
 */
export class SqliteConnection {
  readonly path: string;
  readonly #database: Database;
  readonly #check: () => void;
  readonly #refusal: unknown;
  readonly #statements = new Map<string, Statement>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #hasWritten = false;
  #closed = false;

  constructor({ DatabaseSync }: Engine, path: string, options: ConnectionOptions = {}) {
    const { reading, refusal, check = () => {} } = options;
    this.#refusal = refusal;
    this.path = path;
    this.#check = check;
    try {
      const location = reading === undefined ? path : locationOf(path, reading);
      this.#database = new DatabaseSync(location, { timeout: 0, readOnly: reading !== undefined });
    } catch (thrown) {
      throw storeFailed(path, sqliteError(thrown));
    }
  }

  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    try {
      return this.#statement(sql).get(...values) as Row | undefined;
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    try {
      return this.#statement(sql).all(...values) as Row[];
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** As `all`, but a row that is not asked for is not loaded. */
  *each<Row>(sql: string, ...values: readonly SqlValue[]): Generator<Row> {
    try {
      for (const row of this.#statement(sql).iterate(...values)) yield row as Row;
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    try {
      this.#statement(sql).run(...values);
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** Several statements without values. */
  exec(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** Everything `work` reads belongs to one moment. */
  read<Result>(work: () => Result): Promise<Result> {
    return this.retry(() => this.#transact("BEGIN", work));
  }

  /** Everything `work` writes is stored durably or, when it throws, not at all. Writes of one connection keep their order. */
  write<Result>(work: () => Result): Promise<Result> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return this.#inOrder(() => this.retry(() => this.transact(work)));
  }

  /** Once the writes under way have ended. */
  async settled(): Promise<void> {
    await this.#lastWrite;
  }

  /** As `write`, at once and without waiting for anybody. */
  transact<Result>(work: () => Result): Result {
    return this.#transact("BEGIN IMMEDIATE", work);
  }

  /**
   * The result of `work`, tried again for as long as another process holds the file.
   * @throws {AgnoChatError} `STORE_FAILED`
   */
  retry<Result>(work: () => Result): Promise<Result> {
    return patiently(this.path, () => {
      if (this.#closed) throw storeClosed();
      return work();
    });
  }

  /**
   * Waits for the writes under way, leaves everything in the one file where that is possible, and lets go of it. Nothing
   * that fails here is told, since it changes nothing: what was stored is in the log, and whoever opens the file next takes
   * it in.
   */
  async close(): Promise<void> {
    await this.#lastWrite;
    this.#closed = true;
    try {
      // The package lets go of the file only once its statements are collected, so SQLite does not do this by itself.
      if (this.#hasWritten) this.emptyLog();
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
    } finally {
      this.#database.close();
    }
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#hasWritten = true;
    const done = this.#lastWrite.then(work);
    this.#lastWrite = done.catch(() => undefined);
    return done;
  }

  /** Moves the write-ahead log into the file and cuts it to nothing; whether others let that happen. */
  emptyLog(): boolean {
    return this.get<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)")?.busy === 0;
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #transact<Result>(begin: string, work: () => Result): Result {
    this.run(begin);
    try {
      const result = work();
      this.#check();
      this.run("COMMIT");
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.#database.isTransaction) this.run("ROLLBACK");
      throw error;
    }
  }
}

/** What `values`, a list of SQL expressions, are in the file, which is left as it is and open to nobody afterwards. */
export function peek(
  { DatabaseSync }: Engine,
  path: string,
  { reading, values }: { readonly reading: Reading; readonly values: string },
): Promise<readonly SqlValue[]> {
  return patiently(path, () => {
    let told: readonly SqlValue[] = [];
    let database: Database | undefined;
    try {
      database = new DatabaseSync(locationOf(path, reading), { timeout: 0, readOnly: true });
      // A prepared statement would keep the file open until it is collected.
      database.function("tell", { varargs: true }, (...row) => {
        told = row;
        return null;
      });
      database.exec(`SELECT tell(${values})`);
      return told;
    } catch (thrown) {
      throw sqliteError(thrown);
    } finally {
      database?.close();
    }
  });
}

/** The result of `work`, tried again for as long as another process holds the file. */
async function patiently<Result>(path: string, work: () => Result): Promise<Result> {
  const end = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isSqlite(error, SQLITE_BUSY) || performance.now() > end) throw storeFailed(path, error);
    }
    await shortSleep();
  }
}

/** Waits for a process that holds the file: at random, so that two do not collide again. */
export const shortSleep = (): Promise<void> => sleep(1 + 7 * Math.random());
