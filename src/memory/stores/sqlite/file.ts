import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { ensureFolder } from "../../../ensure-folder.js";
import { AgnoChatError } from "../../../errors.js";
import { systemReason } from "../../../system-errors.js";

/** A memory file and its state when it was opened. Later, the path may lead to another file. */
export class MemoryFile {
  readonly path: string;
  readonly #opened: Stats;

  private constructor(path: string, opened: Stats) {
    this.path = path;
    this.#opened = opened;
  }

  /**
   * Returns the file at `path`. If it is missing, creates it and its folder, accessible only to the
   * owner.
   * @throws {AgnoChatError} `STORE_FAILED` if it is not a regular file or has several hard links
   */
  static ensure(path: string): MemoryFile {
    try {
      ensureFolder(dirname(path));
      // Never opens an existing file: closing it would drop this process's SQLite locks (POSIX).
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) closeSync(openSync(path, "a", 0o600));
      return new MemoryFile(path, checked(path, found ?? statSync(path)));
    } catch (cause) {
      if (cause instanceof AgnoChatError) throw cause;
      throw unusable(path, systemReason(cause) ?? "for an unknown reason", {
        hint: "Check that the folder exists and that you can read and write in it.",
        cause,
      });
    }
  }

  /** SQLite treats a file of one byte as empty and would overwrite it. */
  get isOneByte(): boolean {
    return this.#opened.size === 1;
  }

  get isWritable(): boolean {
    try {
      accessSync(this.path, constants.W_OK);
      accessSync(dirname(this.path), constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether it has a write-ahead log with data that may not be in the file yet. */
  get hasLog(): boolean {
    return sizeOf(`${this.path}-wal`) > 0;
  }

  /** Whether a crash left an unfinished transaction behind. */
  get hasJournal(): boolean {
    return sizeOf(`${this.path}-journal`) > 0;
  }

  /** Whether nothing was written to it since it was opened. */
  get isUnchanged(): boolean {
    const { size, mtimeMs, ino } = statSync(this.path, { throwIfNoEntry: false }) ?? MISSING;
    const { size: sizeThen, mtimeMs: timeThen, ino: inoThen } = this.#opened;
    return size === sizeThen && mtimeMs === timeThen && ino === inoThen && !this.hasLog;
  }

  /**
   * Anything written to a removed file is lost, and SQLite keeps a separate log for each hard link.
   * @throws {AgnoChatError} `STORE_FAILED` if the path now leads to another file, or the file has
   * several hard links
   */
  assertInPlace(): void {
    const { dev, ino, nlink } = statSync(this.path, { throwIfNoEntry: false }) ?? MISSING;
    if (ino !== this.#opened.ino || dev !== this.#opened.dev)
      throw unusable(this.path, "it was removed or replaced after it was opened", {
        hint: "Put it back, or restart agno-chat.",
      });
    if (nlink > 1) throw severalLinks(this.path, nlink);
  }

  /**
   * Removes the permissions of other users, if this user owns the file. Returns one line that says
   * so, or that it was not possible; `undefined` if others had no permissions.
   */
  restrictToOwner(): string | undefined {
    const { mode, uid } = this.#opened;
    if (process.platform === "win32" || (mode & OTHERS) === 0) return undefined;
    const access = (mode & OTHERS_WRITE) === 0 ? "read" : "read and write";
    const name = JSON.stringify(this.path);
    const isRestricted =
      uid === process.getuid?.() && [this.path, ...logFiles(this.path)].every(restrict);
    return isRestricted
      ? `Others could ${access} the memory file ${name}; now only you can.`
      : `Others can ${access} the memory file ${name}. Its owner can change that: chmod 600 FILE`;
  }
}

/** The permission bits of other users, and those to write. */
export const OTHERS = 0o077;
export const OTHERS_WRITE = 0o022;

const MISSING = { size: -1, mtimeMs: -1, dev: -1, ino: -1, nlink: 0 };

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const logFiles = (path: string): string[] =>
  [`${path}-wal`, `${path}-shm`].filter((each) => sizeOf(each) > 0);

/** Returns whether it succeeded. */
function restrict(path: string): boolean {
  try {
    chmodSync(path, statSync(path).mode & 0o700);
    return true;
  } catch {
    return false;
  }
}

function checked(path: string, stats: Stats): Stats {
  if (stats.isDirectory()) throw unusable(path, "it is a folder", NAME_ANOTHER);
  if (!stats.isFile()) throw unusable(path, "it is not a regular file", NAME_ANOTHER);
  if (stats.nlink > 1) throw severalLinks(path, stats.nlink);
  return stats;
}

const NAME_ANOTHER = { hint: "Name another file." };

const severalLinks = (path: string, count: number): AgnoChatError =>
  unusable(path, `it has ${count} hard links, and SQLite would keep a separate log for each`, {
    hint: "Use a copy of it.",
  });

const unusable = (
  path: string,
  reason: string,
  options: { readonly hint: string; readonly cause?: unknown },
): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    `Cannot use the memory file ${JSON.stringify(path)}: ${reason}.`,
    options,
  );
