import { setTimeout as sleep } from "node:timers/promises";
import { AgnoChatError } from "../errors.js";
import { storeClosed } from "./arguments.js";

/** The part of a prepared statement used here; `@photostructure/sqlite` and `node:sqlite` both have it. */
interface Statement {
  get(...values: readonly SqlValue[]): unknown;
  all(...values: readonly SqlValue[]): unknown[];
  run(...values: readonly SqlValue[]): unknown;
}

interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Engine {
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

/** The size up to which a file is rewritten when something was deleted: a fraction of a second. */
const SCRUBBED_BYTES = 16_000_000;

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
 * One open file. Work on it is synchronous and whole inside a transaction; only waiting for other processes is not.
 * SQLite's own waiting is unfair between processes, so it is off and short random sleeps stand in for it.
 */
export class SqliteConnection {
  readonly path: string;
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #hasWritten = false;
  #closed = false;

  constructor({ DatabaseSync }: Engine, path: string, { readOnly = false } = {}) {
    this.path = path;
    try {
      this.#database = new DatabaseSync(path, { timeout: 0, readOnly });
    } catch (error) {
      throw storeFailed(path, error);
    }
  }

  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    this.#statement(sql).run(...values);
  }

  /** Several statements without values. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Everything `work` reads belongs to one moment. */
  read<Result>(work: () => Result): Promise<Result> {
    return this.retry(() => this.#transact("BEGIN", work));
  }

  /** Everything `work` writes is stored durably or, when it throws, not at all. Writes of one connection keep their order. */
  write<Result>(work: () => Result): Promise<Result> {
    return this.#inOrder(() => this.retry(() => this.#transact("BEGIN IMMEDIATE", work)));
  }

  /** As `write`; in a file of up to 16 MB, what `work` deleted is afterwards nowhere on disk any more. */
  erase<Result>(work: () => Result): Promise<Result> {
    return this.#inOrder(async () => {
      const result = await this.retry(() => this.#transact("BEGIN IMMEDIATE", work));
      await this.#scrub();
      return result;
    });
  }

  /**
   * The result of `work`, tried again for as long as another process holds the file.
   * @throws {AgnoChatError} `STORE_FAILED`
   */
  async retry<Result>(work: () => Result): Promise<Result> {
    const end = performance.now() + LOCK_WAIT_MS;
    for (;;) {
      if (this.#closed) throw storeClosed();
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw storeFailed(this.path, error);
      }
      await shortSleep();
    }
  }

  /** Waits for the writes under way first, and leaves everything in the one file. */
  async close(): Promise<void> {
    await this.#lastWrite;
    this.#closed = true;
    // The package lets go of the file only once its statements are collected, so SQLite does not do this by itself.
    if (this.#hasWritten) this.#emptyLog();
    this.#database.close();
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#hasWritten = true;
    const done = this.#lastWrite.then(work);
    this.#lastWrite = done.catch(() => undefined);
    return done;
  }

  /**
   * `secure_delete` overwrites deleted rows, but copies of rows that SQLite moved within the file may stay between the live
   * ones, and all of it in the write-ahead log. Others at work may hold this up: then a later call does it.
   */
  async #scrub(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (this.#tryScrub()) return;
      await shortSleep();
    }
  }

  #tryScrub(): boolean {
    try {
      if (this.#bytes() <= SCRUBBED_BYTES) this.exec("VACUUM");
      return this.#emptyLog();
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
      return false;
    }
  }

  /** Moves the write-ahead log into the file; whether that was possible. */
  #emptyLog(): boolean {
    return this.get<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)")?.busy === 0;
  }

  #bytes(): number {
    const size = this.get<{ bytes: number }>(
      "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
    );
    return size?.bytes ?? 0;
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
      this.run("COMMIT");
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.#database.isTransaction) this.run("ROLLBACK");
      throw error;
    }
  }
}

const shortSleep = (): Promise<void> => sleep(1 + 7 * Math.random());

/** Primary result codes of SQLite, see https://sqlite.org/rescode.html. */
export const SQLITE_READONLY = 8;
export const SQLITE_NOTADB = 26;
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** The primary result code of what SQLite threw. */
export function sqliteCode(error: unknown): number | undefined {
  const { errcode } = Object(error) as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

const isBusy = (error: unknown): boolean => sqliteCode(error) === SQLITE_BUSY;

/** What SQLite threw, as one of ours; anything else stays what it is. */
function storeFailed(path: string, error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const { errstr } = error as { errstr: string };
  return new AgnoChatError(
    "STORE_FAILED",
    `Cannot use the memory file ${JSON.stringify(path)}: ${errstr}.`,
    {
      hint:
        HINTS.get(code) ??
        "Check that the file is whole and that you may read and write it and its folder.",
      cause: error,
    },
  );
}

const HINTS = new Map([
  [SQLITE_BUSY, "Another process holds it: end that one, or try again."],
  [SQLITE_FULL, "Free some disk space, then try again."],
]);
