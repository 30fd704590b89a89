import { constants } from "node:os";
import { AgnoChatError } from "../../../errors.js";

/** Primary result codes of SQLite, see https://sqlite.org/rescode.html. */
export const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;
export const SQLITE_ERROR = 1;
const SQLITE_IOERR = 10;
export const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
export const SQLITE_CONSTRAINT = 19;

/** No room for the shared-memory index of the write-ahead log. */
const SQLITE_IOERR_SHMSIZE = 4874;

const NO_ROOM: readonly unknown[] = [
  constants.errno.ENOSPC,
  constants.errno.EDQUOT,
  constants.errno.EFBIG,
];

/** How SQLite's messages begin, for driver calls whose errors have no result code. */
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

/** An SQLite failure without SQLite's own message, which may quote stored text. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  /** The primary result code. */
  readonly code: number;

  constructor(code: number) {
    super(`SQLite result ${code}`);
    this.code = code;
  }
}

/** Another process wrote to a file opened as `immutable`. It must be opened again. */
export class FileChanged extends Error {}

/**
 * Converts a driver error to an `SqliteError`. A `TypeError` is a bug of this code and is returned
 * unchanged.
 */
export function sqliteError(thrown: unknown): unknown {
  if (thrown instanceof TypeError) return thrown;
  // A number out of range was never stored by this code.
  if (thrown instanceof RangeError) return new SqliteError(SQLITE_CORRUPT);
  return new SqliteError(codeOf(thrown as DriverError));
}

interface DriverError {
  readonly message: string;
  readonly errcode?: number;
  readonly sqliteExtendedCode?: number;
  readonly systemErrno?: number;
}

function codeOf({ message, errcode, sqliteExtendedCode, systemErrno }: DriverError): number {
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

/** Runs `decode`. If it throws, the file is damaged; its error may quote stored text. */
export function decodeStored<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch {
    throw new SqliteError(SQLITE_CORRUPT);
  }
}

type Explanation = readonly [reason: string, hint: string];

/** Converts an `SqliteError` to `STORE_FAILED` and returns anything else unchanged. */
export function storeFailed(path: string, error: unknown): unknown {
  if (!(error instanceof SqliteError)) return error;
  const [reason, hint] = EXPLANATIONS.get(error.code) ?? [
    `SQLite failed with result code ${error.code}`,
    CHECK_ACCESS,
  ];
  return new AgnoChatError(
    "STORE_FAILED",
    `Cannot use the memory file ${JSON.stringify(path)}: ${reason}.`,
    { hint, cause: error },
  );
}

const CHECK_ACCESS = "Check that you can read and write the file and its folder.";
const DAMAGED: Explanation = [
  "it is damaged",
  "Restore a backup, save who can be read with agno-chat store salvage NEW-FILE, or move it away to start over.",
];

const EXPLANATIONS: ReadonlyMap<number, Explanation> = new Map<number, Explanation>([
  [SQLITE_BUSY, ["it is locked", "Another process is using it: end that process, or try again."]],
  [SQLITE_READONLY, ["it is read-only here", CHECK_ACCESS]],
  [SQLITE_IOERR, ["reading or writing it failed", "Check the disk, then try again."]],
  // Tables or rows that this code would not have written.
  [SQLITE_ERROR, DAMAGED],
  [SQLITE_CONSTRAINT, DAMAGED],
  [SQLITE_CORRUPT, DAMAGED],
  [SQLITE_NOTADB, DAMAGED],
  [SQLITE_FULL, ["the disk is full", "Free some disk space, then try again."]],
  [SQLITE_CANTOPEN, ["it cannot be opened", CHECK_ACCESS]],
]);
