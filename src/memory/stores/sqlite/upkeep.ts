import { setTimeout as sleep } from "node:timers/promises";
import { AgnoChatError } from "../../../errors.js";
import { type SqliteConnection, shortSleep } from "./driver.js";
import { isSqlite, SQLITE_BUSY, SqliteError } from "./sqlite-errors.js";

/** Up to this size a file is rewritten in one go: 50 ms. A table that holds ids or states likewise. */
const REWRITTEN_BYTES = 4_000_000;

/** Deletes are followed by one clean-up, after so many milliseconds without another, and at the latest so long after the first. */
const QUIET_MS = 200;
const LATEST_MS = 2_000;

/** How often a step is tried while others hold the file. */
const ATTEMPTS = 100;

/** The most of the messages that is moved in one transaction. */
const MOVED_ROWS = 200;
const MOVED_BYTES = 200_000;

/** Messages are moved together once so many are blank, and every third is. */
const BLANKS = 1_000;

/** A row that has a page of 4096 bytes to itself. */
const FULL_PAGE = " ".repeat(4_000);

/** Inside the transaction of a delete: from now on something is to be cleaned up, whoever does it. */
export const noteErased = (connection: SqliteConnection): void =>
  connection.run("UPDATE upkeep SET erased = erased + 1");

/**
 * Empties message rows where they are. Deleting them would make SQLite move their neighbours and leave copies of those
 * between the rows; a row that only shrinks moves nobody, and `secure_delete` overwrites what it held.
 */
export function blankMessages(
  connection: SqliteConnection,
  { userKey, sessionKey }: { readonly userKey: number; readonly sessionKey?: number },
): void {
  const [where, values] =
    sessionKey === undefined
      ? ["user_key = ?", [userKey]]
      : ["user_key = ? AND session_key = ?", [userKey, sessionKey]];
  connection.run(
    `UPDATE messages SET user_key = 0, message_id = rowid, session_key = 0, is_system = 0, run_id = '',
            created_at = 0, body_json = '' WHERE ${where}`,
    ...values,
  );
}

interface Owed {
  readonly erased: number;
  readonly cleaned: number;
  readonly movingTo: number;
}

/**
 * Sees to it that nothing of what was deleted stays in the file, its free pages and its log. That is done behind the
 * deletes, once for many of them, in steps so short that other writers hardly wait; what a process leaves undone is
 * written down in the file, and another one does it.
 */
export class Upkeep {
  readonly #connection: SqliteConnection;
  #first: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** Soon, and once for many calls. Never keeps a process alive. */
  soon(): void {
    const now = performance.now();
    this.#first ??= now;
    clearTimeout(this.#timer);
    const delay = Math.min(QUIET_MS, Math.max(0, this.#first + LATEST_MS - now));
    this.#timer = setTimeout(() => void this.#begin(), delay).unref();
  }

  /** Now, if there is something to do. What cannot be done now is left to whoever uses the file next. */
  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    await this.#begin();
  }

  #begin(): Promise<void> {
    this.#first = undefined;
    this.#running ??= this.#cleanUp().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #cleanUp(): Promise<void> {
    try {
      const { erased, cleaned, movingTo } = owedIn(this.#connection);
      if (erased === cleaned && movingTo === 0) return;
      if (bytesOf(this.#connection) <= REWRITTEN_BYTES) await this.#rewrite();
      else await this.#rewriteInSteps(movingTo);
      if (!(await this.#emptyLog())) return;
      await this.#step(() =>
        this.#connection.transact(() =>
          this.#connection.run("UPDATE upkeep SET cleaned = max(cleaned, ?)", erased),
        ),
      );
    } catch (error) {
      // It stays written down, and the next clean-up may succeed.
      if (!(error instanceof SqliteError || error instanceof AgnoChatError)) throw error;
    }
  }

  async #rewrite(): Promise<void> {
    const connection = this.#connection;
    await this.#step(() =>
      connection.transact(() => {
        connection.run("DELETE FROM messages WHERE user_key = 0");
        connection.run("UPDATE upkeep SET moving_to = 0");
      }),
    );
    await this.#step(() => connection.exec("VACUUM"));
  }

  async #rewriteInSteps(movingTo: number): Promise<void> {
    const connection = this.#connection;
    for (const [table, bytes] of SMALL_TABLES)
      if (sumOf(connection, sizeOf(table, bytes)) <= REWRITTEN_BYTES)
        await this.#step(() => connection.transact(() => refill(connection, table)));
    if (movingTo === 0 && !isMostlyBlank(connection)) return;
    if (movingTo === 0) await this.#step(() => connection.transact(() => beginMoving(connection)));
    while (await this.#step(() => connection.transact(() => moveSome(connection)))) await sleep(1);
  }

  /** Takes the log into the file, which others need not wait for, and then empties it. */
  async #emptyLog(): Promise<boolean> {
    this.#connection.exec("PRAGMA wal_checkpoint(PASSIVE)");
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (this.#connection.emptyLog()) return true;
      await shortSleep();
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
      await shortSleep();
    }
  }
}

/** The tables that are rewritten whole, and about how many bytes a row of each takes. */
const SMALL_TABLES = [
  ["users", "octet_length(user_id) * 2 + 40"],
  ["sessions", "octet_length(session_id) * 2 + 80"],
  ["session_states", "octet_length(key_json) + octet_length(value_json) + 40"],
] as const;

/** Looks at no more rows than can fit. */
const sizeOf = (table: string, bytes: string): string =>
  `SELECT sum(${bytes}) AS sum FROM (SELECT * FROM ${table} LIMIT ${REWRITTEN_BYTES / 40})`;

/** Frees every page of the table, which overwrites it, and puts the rows back. */
function refill(connection: SqliteConnection, table: string): void {
  connection.exec(`
    CREATE TEMP TABLE kept AS SELECT * FROM main.${table};
    DELETE FROM main.${table};
    INSERT INTO main.${table} SELECT * FROM kept;
    DROP TABLE kept`);
}

/** Whether so many rows are blank that moving the others together is worth while. */
function isMostlyBlank(connection: SqliteConnection): boolean {
  const blanks = sumOf(connection, "SELECT count(*) AS sum FROM messages WHERE user_key = 0");
  const others = sumOf(connection, "SELECT sum(messages) AS sum FROM users");
  return blanks >= BLANKS && 2 * blanks >= others;
}

/**
 * All that is there now is to move behind the last row, in order. Rows appended to a table move nobody, and the pages they
 * leave are overwritten. Some full pages in between keep SQLite from joining an old page with a new one.
 */
function beginMoving(connection: SqliteConnection): void {
  connection.run("UPDATE upkeep SET moving_to = (SELECT max(rowid) FROM messages)");
  for (let page = 0; page < 3; page += 1)
    connection.run(
      `INSERT INTO messages (user_key, message_id, session_key, is_system, run_id, created_at, body_json)
       SELECT 0, max(rowid) + 1, 0, 0, '', 0, ? FROM messages`,
      FULL_PAGE,
    );
}

/** Moves the first rows, and drops blank ones. Whether more are to move. */
function moveSome(connection: SqliteConnection): boolean {
  const rows = connection.all<{ id: number; bytes: number }>(
    `SELECT rowid AS id, octet_length(body_json) AS bytes FROM messages
     WHERE rowid <= (SELECT moving_to FROM upkeep) ORDER BY rowid LIMIT ?`,
    MOVED_ROWS,
  );
  const [first] = rows;
  if (first === undefined) {
    connection.run("UPDATE upkeep SET moving_to = 0");
    return false;
  }
  let [last, bytes] = [first.id, first.bytes];
  for (const row of rows.slice(1)) {
    bytes += row.bytes;
    if (bytes > MOVED_BYTES) break;
    last = row.id;
  }
  const range = [first.id, last];
  connection.run("DELETE FROM messages WHERE user_key = 0 AND rowid BETWEEN ? AND ?", ...range);
  connection.run(
    `UPDATE messages SET rowid = rowid + (SELECT max(rowid) + 1 FROM messages) - ?
     WHERE rowid BETWEEN ? AND ?`,
    first.id,
    ...range,
  );
  return true;
}

const owedIn = (connection: SqliteConnection): Owed =>
  connection.get<Owed>("SELECT erased, cleaned, moving_to AS movingTo FROM upkeep") ?? NOTHING;

const NOTHING: Owed = { erased: 0, cleaned: 0, movingTo: 0 };

const bytesOf = (connection: SqliteConnection): number =>
  sumOf(
    connection,
    "SELECT page_count * page_size AS sum FROM pragma_page_count, pragma_page_size",
  );

const sumOf = (connection: SqliteConnection, sql: string): number =>
  connection.get<{ sum: number | null }>(sql)?.sum ?? 0;
