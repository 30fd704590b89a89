import { setTimeout as sleep } from "node:timers/promises";
import { AgnoChatError } from "../../../errors.js";
import { pause, type SqliteConnection } from "./driver.js";
import { isSqlite, SQLITE_BUSY, SqliteError } from "./sqlite-errors.js";

/** A file or a small table up to this size is rewritten at once, in about 50 ms. */
const MAX_REWRITE_BYTES = 4_000_000;

/** A clean-up runs once no delete came for `QUIET_MS`, at most `LATEST_MS` after the first one. */
const QUIET_MS = 200;
const LATEST_MS = 2_000;

/** How often a step is tried while other processes lock the file. */
const ATTEMPTS = 100;

/** How many messages are moved in one transaction, at most. */
const MAX_MOVED_ROWS = 200;
const MAX_MOVED_BYTES = 200_000;

/** Messages are moved together once at least this many rows, and one in three, are blank. */
const MIN_BLANK_ROWS = 1_000;

/** The body of a row that fills a page of 4096 bytes on its own. */
const FULL_PAGE = " ".repeat(4_000);

/** Counts a delete, in its own transaction, so that any process can clean up after it. */
export const noteErased = (connection: SqliteConnection): void =>
  connection.run("UPDATE upkeep SET erased = erased + 1");

/**
 * Blanks message rows in place. Deleting them would make SQLite move neighbouring rows and leave
 * copies of those in unused space. A row that shrinks moves no others, and `secure_delete`
 * overwrites its old content.
 */
export function blankMessages(connection: SqliteConnection, messages: OwnMessages): void {
  const [where, values] = conditionOf(messages);
  const blank = `
    UPDATE messages SET user_key = 0, message_id = rowid, session_key = 0, is_system = 0,
           run_id = '', created_at = 0, body_json = ''
    WHERE rowid IN (SELECT rowid FROM messages WHERE ${where} LIMIT ${BLANKED_AT_ONCE})`;
  let changed: number;
  do {
    connection.run(blank, ...values);
    changed = sumOf(connection, "SELECT changes() AS sum");
  } while (changed === BLANKED_AT_ONCE);
}

/** The messages of a user, of one session, or those of a session that are between two ids. */
type OwnMessages =
  | { readonly userKey: number; readonly sessionKey?: undefined }
  | {
      readonly userKey: number;
      readonly sessionKey: number;
      readonly turnsAfter?: number;
      readonly before?: number;
    };

function conditionOf(messages: OwnMessages): readonly [where: string, values: number[]] {
  const { userKey, sessionKey } = messages;
  if (sessionKey === undefined) return ["user_key = ?", [userKey]];
  const { turnsAfter, before = Number.MAX_SAFE_INTEGER } = messages;
  const where = "user_key = ? AND session_key = ?";
  if (turnsAfter === undefined) return [where, [userKey, sessionKey]];
  return [
    `${where} AND is_system = 0 AND message_id > ? AND message_id < ?`,
    [userKey, sessionKey, turnsAfter, before],
  ];
}

/** SQLite keeps a copy of every page that one statement changes, in memory. */
const BLANKED_AT_ONCE = 1_000;

interface UpkeepRow {
  readonly erased: number;
  readonly cleaned: number;
  readonly movingTo: number;
}

/**
 * Removes deleted data from the file, its free pages and its write-ahead log. It runs after the
 * deletes, once for many of them, in steps so short that other writers hardly wait. The file
 * records what is left to do, so that another process can finish it.
 */
export class Upkeep {
  readonly #connection: SqliteConnection;
  #first: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** Cleans up soon, once for many calls. Does not keep the process alive. */
  schedule(): void {
    const now = performance.now();
    this.#first ??= now;
    clearTimeout(this.#timer);
    const delay = Math.min(QUIET_MS, Math.max(0, this.#first + LATEST_MS - now));
    this.#timer = setTimeout(() => void this.#start(), delay).unref();
  }

  /** Cleans up now, if needed. What fails is left to the next process that uses the file. */
  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    await this.#start();
  }

  #start(): Promise<void> {
    this.#first = undefined;
    this.#running ??= this.#cleanUp().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #cleanUp(): Promise<void> {
    try {
      const { erased, cleaned, movingTo } = upkeepRowOf(this.#connection);
      if (erased === cleaned && movingTo === 0) return;
      if (fileBytes(this.#connection) <= MAX_REWRITE_BYTES) await this.#rewrite();
      else await this.#rewriteInSteps(movingTo);
      if (!(await this.#emptyLog())) return;
      await this.#step(() =>
        this.#connection.transact(() =>
          this.#connection.run("UPDATE upkeep SET cleaned = max(cleaned, ?)", erased),
        ),
      );
    } catch (error) {
      // The file still records it, and the next clean-up may succeed.
      if (!(error instanceof SqliteError || error instanceof AgnoChatError)) throw error;
    }
  }

  async #rewrite(): Promise<void> {
    const connection = this.#connection;
    await this.#step(() =>
      connection.transact(() => {
        connection.run("DELETE FROM messages WHERE user_key = 0");
        connection.run("DELETE FROM attachments WHERE user_key = 0");
        connection.run("UPDATE upkeep SET moving_to = 0");
      }),
    );
    await this.#step(() => connection.exec("VACUUM"));
  }

  async #rewriteInSteps(movingTo: number): Promise<void> {
    const connection = this.#connection;
    for (const [table, bytes] of SMALL_TABLES)
      if (sumOf(connection, tableBytesSql(table, bytes)) <= MAX_REWRITE_BYTES)
        await this.#step(() => connection.transact(() => refill(connection, table)));
    if (movingTo === 0 && !isMostlyBlank(connection)) return;
    if (movingTo === 0) await this.#step(() => connection.transact(() => startMoving(connection)));
    while (await this.#step(() => connection.transact(() => moveRows(connection)))) await sleep(1);
  }

  /** Copies the log into the file first, which makes no other process wait, then truncates it. */
  async #emptyLog(): Promise<boolean> {
    this.#connection.exec("PRAGMA wal_checkpoint(PASSIVE)");
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (this.#connection.emptyLog()) return true;
      await pause();
    }
    return false;
  }

  async #step<Result>(work: () => Result): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return work();
      } catch (error) {
        if (!isSqlite(error, SQLITE_BUSY) || attempt === ATTEMPTS) throw error;
      }
      await pause();
    }
  }
}

/** The tables that are rewritten whole, with an SQL estimate of the bytes of one row. */
const SMALL_TABLES = [
  ["users", "octet_length(user_id) * 2 + 40"],
  ["sessions", "octet_length(session_id) * 2 + 80"],
  ["spending", "octet_length(user_id) * 2 + 40"],
  ["session_states", "octet_length(key_json) + octet_length(value_json) + 40"],
  ["state_changes", "octet_length(key_json) + coalesce(octet_length(before_json), 0) + 40"],
] as const;

/** Reads no more rows than `MAX_REWRITE_BYTES` can hold. */
const tableBytesSql = (table: string, rowBytes: string): string =>
  `SELECT sum(${rowBytes}) AS sum FROM (SELECT * FROM ${table} LIMIT ${MAX_REWRITE_BYTES / 40})`;

/** Frees every page of the table, which overwrites the page, and inserts the rows again. */
function refill(connection: SqliteConnection, table: string): void {
  connection.exec(`
    CREATE TEMP TABLE kept AS SELECT * FROM main.${table};
    DELETE FROM main.${table};
    INSERT INTO main.${table} SELECT * FROM kept;
    DROP TABLE kept`);
}

/** Whether enough rows are blank to make moving the others together worthwhile. */
function isMostlyBlank(connection: SqliteConnection): boolean {
  const blanks = sumOf(connection, "SELECT count(*) AS sum FROM messages WHERE user_key = 0");
  const others = sumOf(connection, "SELECT sum(messages) AS sum FROM users");
  return blanks >= MIN_BLANK_ROWS && 2 * blanks >= others;
}

/**
 * Marks all current rows to be moved behind the last row, in order. Appending moves no other row,
 * and the pages left behind are overwritten. A few full pages in between keep SQLite from merging
 * an old page with a new one.
 */
function startMoving(connection: SqliteConnection): void {
  connection.run("UPDATE upkeep SET moving_to = (SELECT max(rowid) FROM messages)");
  for (let page = 0; page < 3; page += 1)
    connection.run(
      `INSERT INTO messages (user_key, message_id, session_key, is_system, run_id, created_at,
                             body_json)
       SELECT 0, max(rowid) + 1, 0, 0, '', 0, ? FROM messages`,
      FULL_PAGE,
    );
}

/** Moves the next rows and deletes blank ones. Returns whether more rows are left to move. */
function moveRows(connection: SqliteConnection): boolean {
  const rows = connection.all<{ id: number; bytes: number }>(
    `SELECT rowid AS id, octet_length(body_json) AS bytes FROM messages
     WHERE rowid <= (SELECT moving_to FROM upkeep) ORDER BY rowid LIMIT ?`,
    MAX_MOVED_ROWS,
  );
  const [first] = rows;
  if (first === undefined) {
    connection.run("UPDATE upkeep SET moving_to = 0");
    return false;
  }
  let [last, bytes] = [first.id, first.bytes];
  for (const row of rows.slice(1)) {
    bytes += row.bytes;
    if (bytes > MAX_MOVED_BYTES) break;
    last = row.id;
  }
  const range = [first.id, last];
  // The plus keeps SQLite from looking at every blank row of the file in each step.
  connection.run("DELETE FROM messages WHERE +user_key = 0 AND rowid BETWEEN ? AND ?", ...range);
  connection.run(
    `UPDATE messages SET rowid = rowid + (SELECT max(rowid) + 1 FROM messages) - ?
     WHERE rowid BETWEEN ? AND ?`,
    first.id,
    ...range,
  );
  return true;
}

const upkeepRowOf = (connection: SqliteConnection): UpkeepRow =>
  connection.get<UpkeepRow>("SELECT erased, cleaned, moving_to AS movingTo FROM upkeep") ?? CLEAN;

const CLEAN: UpkeepRow = { erased: 0, cleaned: 0, movingTo: 0 };

const fileBytes = (connection: SqliteConnection): number =>
  sumOf(
    connection,
    "SELECT page_count * page_size AS sum FROM pragma_page_count, pragma_page_size",
  );

const sumOf = (connection: SqliteConnection, sql: string): number =>
  connection.get<{ sum: number | null }>(sql)?.sum ?? 0;
