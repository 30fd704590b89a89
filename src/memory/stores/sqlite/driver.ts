import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { AgnoChatError } from "../../../errors.js";
import { storeClosed } from "../../failures.js";
import { loadPackageBinary } from "./package-binary.js";
import { isSqlite, SQLITE_BUSY, SqliteError, sqliteError, storeFailed } from "./sqlite-errors.js";

/** The part of a prepared statement that `@photostructure/sqlite` and `node:sqlite` share. */
interface Statement {
  get(...values: readonly SqlValue[]): unknown;
  all(...values: readonly SqlValue[]): unknown[];
  iterate(...values: readonly SqlValue[]): Iterable<unknown>;
  setReturnArrays(enabled: boolean): void;
}

interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  function(
    name: string,
    options: { readonly varargs: true },
    body: (...values: SqlValue[]) => null,
  ): void;
  close(): void;
}

export interface Engine {
  readonly DatabaseSync: new (
    path: string,
    options: { readonly timeout: number; readonly readOnly: boolean },
  ) => Database;
}

export type SqlValue = string | number | null | Uint8Array;

/** The first version without the WAL-reset bug; see https://sqlite.org/wal.html#walresetbug. */
const SAFE_VERSION = [3, 51, 3] as const;

/** How long a call waits for another process to release the file, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

const NODE_SQLITE = "node:sqlite";

const ENGINES: readonly (() => Promise<unknown>)[] = [
  async () => loadPackageBinary(),
  () => import("@photostructure/sqlite"),
  () => import(NODE_SQLITE),
];

/**
 * Loads SQLite from the package (its binary, or else through the package, which also finds one that
 * was compiled here), or else the one built into Node, if it is safe to use.
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
    hint: "Use Node 22.23 or newer, which has a safe SQLite built in.",
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
 * How a file is opened read-only. `immutable`: no process is writing to it. `shared`: other
 * processes may write, through their write-ahead log. Neither creates files next to it.
 */
export type ReadMode = "immutable" | "shared";

export interface ConnectionOptions {
  /** Opens the file read-only. Default: it is read and written. */
  readonly readMode?: ReadMode | undefined;
  /** The error that `write` rejects with instead of writing. */
  readonly writeRefusal?: unknown;
  /** Called at the end of every transaction. If it throws, the transaction is rolled back. */
  readonly check?: () => void;
}

const readOnlyUrl = (path: string, readMode: ReadMode): string =>
  `${pathToFileURL(path).href}?${readMode === "immutable" ? "immutable=1" : "readonly_shm=1"}`;

/**
 * One open file. A transaction runs synchronously; only waiting for other processes is
 * asynchronous. SQLite's own busy timeout is unfair between processes, so it is off, and locked
 * calls are repeated after short random pauses.
 */
export class SqliteConnection {
  readonly path: string;
  readonly #database: Database;
  readonly #check: () => void;
  readonly #writeRefusal: unknown;
  readonly #isReadOnly: boolean;
  readonly #statements = new Map<string, Statement>();
  /** Those that give the columns of a row as a list. */
  readonly #listings = new Map<string, Statement>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #hasWritten = false;
  #closed = false;

  constructor({ DatabaseSync }: Engine, path: string, options: ConnectionOptions = {}) {
    const { readMode, writeRefusal, check = () => {} } = options;
    this.#writeRefusal = writeRefusal;
    this.path = path;
    this.#check = check;
    try {
      const readOnly = readMode !== undefined;
      this.#isReadOnly = readOnly;
      const location = readOnly ? readOnlyUrl(path, readMode) : path;
      this.#database = new DatabaseSync(location, { timeout: 0, readOnly });
    } catch (thrown) {
      throw storeFailed(path, sqliteError(thrown));
    }
  }

  get isReadOnly(): boolean {
    return this.#isReadOnly;
  }

  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    try {
      return this.#statement(sql).get(...values) as Row | undefined;
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** Like `get`, but gives the columns as a list: naming them takes longer than finding the row. */
  columns<Columns extends readonly SqlValue[]>(
    sql: string,
    ...values: readonly SqlValue[]
  ): Columns | undefined {
    try {
      return this.#statement(sql, this.#listings).get(...values) as unknown as Columns | undefined;
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

  /** Like `all`, but gives the columns of each row as a list, which takes half as long. */
  allColumns<Columns extends readonly SqlValue[]>(
    sql: string,
    ...values: readonly SqlValue[]
  ): Columns[] {
    try {
      return this.#statement(sql, this.#listings).all(...values) as unknown as Columns[];
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** Like `all`, but loads each row only when it is asked for. */
  *each<Row>(sql: string, ...values: readonly SqlValue[]): Generator<Row> {
    try {
      for (const row of this.#statement(sql).iterate(...values)) yield row as Row;
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** Like `each`, but gives the columns of each row as a list. */
  *eachColumns<Columns extends readonly SqlValue[]>(
    sql: string,
    ...values: readonly SqlValue[]
  ): Generator<Columns> {
    try {
      for (const row of this.#statement(sql, this.#listings).iterate(...values))
        yield row as Columns;
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    try {
      // `Statement.run` does the same, and then counts what has changed for an object.
      this.#statement(sql).get(...values);
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /** Runs one or more statements without parameters. */
  exec(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (thrown) {
      throw sqliteError(thrown);
    }
  }

  /**
   * Runs `work` in a read transaction, so that everything it reads is from one moment.
   * @param known Called first, without a transaction: at most one statement. What it returns, if
   * anything, makes `work` unnecessary.
   */
  read<Result>(work: () => Result, known?: () => Result | undefined): Promise<Result> {
    return this.retry(() => {
      const result = known?.();
      if (result === undefined) return this.#transact("BEGIN", work);
      this.#check();
      return result;
    });
  }

  /**
   * Runs `work` in a write transaction: everything it writes is stored durably or, if it throws,
   * not at all. Writes of one connection keep their order.
   * @param committed Called right after the commit, before this connection does anything else.
   */
  write<Result>(work: () => Result, committed?: (result: Result) => void): Promise<Result> {
    return this.#enqueue(() => {
      const result = this.transact(work);
      committed?.(result);
      return result;
    });
  }

  /**
   * Like `write`, but a power failure may undo it: what is written reaches the disk with the next
   * `write`. Later transactions of every process see it at once.
   */
  writeLightly<Result>(work: () => Result): Promise<Result> {
    return this.#enqueue(() => {
      this.exec("PRAGMA synchronous = NORMAL");
      try {
        return this.transact(work);
      } finally {
        this.exec("PRAGMA synchronous = FULL");
      }
    });
  }

  /**
   * Like `write`, but `work` may be asynchronous. Until it ends, nothing else may use this
   * connection, and no other connection can write to the file.
   */
  async writeSlowly<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#writeRefusal !== undefined) throw this.#writeRefusal;
    this.#hasWritten = true;
    await this.retry(() => this.run("BEGIN IMMEDIATE"));
    try {
      const result = await work();
      this.#check();
      this.run("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.run("ROLLBACK");
      throw storeFailed(this.path, error);
    }
  }

  /** Resolves when all pending writes have ended. */
  async writesEnded(): Promise<void> {
    await this.#lastWrite;
  }

  /** Like `write`, but synchronous: fails if another process has locked the file. */
  transact<Result>(work: () => Result): Result {
    return this.#transact("BEGIN IMMEDIATE", work);
  }

  /**
   * Repeats `work` while another process has locked the file, for up to 10 s.
   * @throws {AgnoChatError} `STORE_FAILED`
   */
  retry<Result>(work: () => Result): Promise<Result> {
    return retryWhileLocked(this.path, () => {
      if (this.#closed) throw storeClosed();
      return work();
    });
  }

  /**
   * Waits for pending writes, moves the write-ahead log into the file if possible, and closes it.
   * An SQLite error here is ignored, because nothing is lost: the log has everything that was
   * stored, and the next process to open the file reads it from there.
   */
  async close(): Promise<void> {
    await this.#lastWrite;
    this.#closed = true;
    try {
      // SQLite does this itself only once all statements are garbage collected.
      if (this.#hasWritten) this.emptyLog();
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
    } finally {
      this.#database.close();
    }
  }

  /** Repeats `transact` while the file is locked, after the writes that were asked for before. */
  #enqueue<Result>(transact: () => Result): Promise<Result> {
    if (this.#writeRefusal !== undefined) return Promise.reject(this.#writeRefusal);
    this.#hasWritten = true;
    const done = this.#lastWrite.then(() => this.retry(transact));
    this.#lastWrite = done.catch(() => undefined);
    return done;
  }

  /**
   * Moves the write-ahead log into the file and truncates it. Returns false if another process kept
   * it from doing so.
   */
  emptyLog(): boolean {
    return this.get<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)")?.busy === 0;
  }

  #statement(sql: string, statements = this.#statements): Statement {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (statements === this.#listings) statement.setReturnArrays(true);
    statements.set(sql, statement);
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
      // On a full disk SQLite has already rolled back.
      if (this.#database.isTransaction) this.run("ROLLBACK");
      throw error;
    }
  }
}

/**
 * Evaluates `expressions`, a list of SQL expressions, in the file, without changing it or leaving
 * it open.
 */
export function peek(
  { DatabaseSync }: Engine,
  path: string,
  { readMode, expressions }: { readonly readMode: ReadMode; readonly expressions: string },
): Promise<readonly SqlValue[]> {
  return retryWhileLocked(path, () => {
    let result: readonly SqlValue[] = [];
    let database: Database | undefined;
    try {
      database = new DatabaseSync(readOnlyUrl(path, readMode), { timeout: 0, readOnly: true });
      // A prepared statement would keep the file open until it is garbage collected.
      database.function("capture", { varargs: true }, (...values) => {
        result = values;
        return null;
      });
      database.exec(`SELECT capture(${expressions})`);
      return result;
    } catch (thrown) {
      throw sqliteError(thrown);
    } finally {
      database?.close();
    }
  });
}

async function retryWhileLocked<Result>(path: string, work: () => Result): Promise<Result> {
  let end: number | undefined;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isSqlite(error, SQLITE_BUSY)) throw storeFailed(path, error);
      // Not before it is needed: to load the clock takes 1 ms.
      end ??= performance.now() + LOCK_WAIT_MS;
      if (performance.now() > end) throw storeFailed(path, error);
    }
    await pause();
  }
}

/** Waits 1–8 ms for another process. Random, so that two processes do not collide again. */
export const pause = (): Promise<void> => sleep(1 + 7 * Math.random());
