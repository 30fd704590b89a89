import { constants } from "node:os";
import { AgnoChatError } from "../../../errors.js";

/** Primary result codes of SQLite, see https://sqlite.org/rescode.html. */
export const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;
const SQLITE_ERROR = 1;
const SQLITE_IOERR = 10;
export const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_CONSTRAINT = 19;

/** Only there is no room for the index of the log. */
const SQLITE_IOERR_SHMSIZE = 4874;

const NO_ROOM: readonly unknown[] = [
  constants.errno.ENOSPC,
  constants.errno.EDQUOT,
  constants.errno.EFBIG,
];

/** How SQLite begins its messages, for the calls of the driver that throw nothing else. */
const MESSAGES: readonly (readonly [string, number])[] = [
  ["database is locked", SQLITE_BUSY],
  ["attempt to write a readonly database", SQLITE_READONLY],
  ["disk I/O error", SQLITE_IOERR],
  ["database disk image is malformed", SQLITE_CORRUPT],
  ["malformed database schema", SQLITE_CORRUPT],
  ["database or disk is full", SQLITE_FULL],
  ["unable to open database file", SQLITE_CANTOPEN],
  ["file is not a database", SQLITE_NOTADB],
];

/** A failure of SQLite, by its number alone: its own message may quote what is stored. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  /** The primary result code. */
  readonly code: number;

  constructor(code: number) {
    super(`SQLite result ${code}`);
    this.code = code;
  }
}

/** Somebody wrote to a file that is read as if nobody did: it has to be opened again. */
export class FileChanged extends Error {}

/** What the driver threw, without its words. A wrong call of the driver is a bug of ours and stays what it is. */
export function sqliteError(thrown: unknown): unknown {
  if (thrown instanceof TypeError) return thrown;
  // A number out of range: nobody stored it.
  if (thrown instanceof RangeError) return new SqliteError(SQLITE_CORRUPT);
  return new SqliteError(codeOf(thrown as Thrown));
}

interface Thrown {
  readonly message: string;
  readonly errcode?: number;
  readonly sqliteExtendedCode?: number;
  readonly systemErrno?: number;
}

function codeOf({ message, errcode, sqliteExtendedCode, systemErrno }: Thrown): number {
  if (errcode === undefined)
    return MESSAGES.find(([start]) => message.startsWith(start))?.[1] ?? SQLITE_ERROR;
  const code = errcode & 0xff;
  const isFull =
    code === SQLITE_IOERR &&
    (NO_ROOM.includes(systemErrno) || (sqliteExtendedCode ?? errcode) === SQLITE_IOERR_SHMSIZE);
  return isFull ? SQLITE_FULL : code;
}

export const isSqlite = (error: unknown, ...codes: readonly number[]): boolean =>
  error instanceof SqliteError && codes.includes(error.code);

/** What `decode` makes of stored values; when it cannot, the file is damaged, and nobody learns what stood there. */
export function decoded<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch {
    throw new SqliteError(SQLITE_CORRUPT);
  }
}

type Words = readonly [what: string, hint: string];

/** A failure of SQLite as `STORE_FAILED`; anything else stays what it is. */
export function storeFailed(path: string, error: unknown): unknown {
  if (!(error instanceof SqliteError)) return error;
  const [what, hint] = WORDS.get(error.code) ?? [
    `SQLite failed with its result ${error.code}`,
    USABLE,
  ];
  return new AgnoChatError(
    "STORE_FAILED",
    `Cannot use the memory file ${JSON.stringify(path)}: ${what}.`,
    { hint, cause: error },
  );
}

const USABLE = "Check that you may read and write it and its folder.";
const DAMAGED: Words = [
  "it is damaged",
  "Move it away to begin anew, or put a copy back; sqlite3 FILE .recover saves what can be read.",
];

const WORDS: ReadonlyMap<number, Words> = new Map<number, Words>([
  [SQLITE_BUSY, ["it is locked", "Another process holds it: end that one, or try again."]],
  [SQLITE_READONLY, ["it is read-only here", USABLE]],
  [SQLITE_IOERR, ["reading or writing it failed", "Check its disk, then try again."]],
  // Tables that are not as we made them, rows that cannot be.
  [SQLITE_ERROR, DAMAGED],
  [SQLITE_CONSTRAINT, DAMAGED],
  [SQLITE_CORRUPT, DAMAGED],
  [SQLITE_NOTADB, DAMAGED],
  [SQLITE_FULL, ["the disk is full", "Free some disk space, then try again."]],
  [SQLITE_CANTOPEN, ["it cannot be opened", USABLE]],
]);
