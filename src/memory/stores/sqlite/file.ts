import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { AgnoChatError } from "../../../errors.js";
import { systemReason } from "../../../system-errors.js";

/** The file behind a path, as it was when it was opened. The path may lead to another one later. */
export class MemoryFile {
  readonly path: string;
  readonly #opened: Stats;

  private constructor(path: string, opened: Stats) {
    this.path = path;
    this.#opened = opened;
  }

  /**
   * The file, which is made when missing, with its folder, for the owner's eyes alone.
   * @throws {AgnoChatError} `STORE_FAILED` for what is no file, and for one with several names
   */
  static at(path: string): MemoryFile {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // Never opened when it exists: closing it would drop the locks SQLite holds on it in this process (POSIX).
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) closeSync(openSync(path, "a", 0o600));
      return new MemoryFile(path, checked(path, found ?? statSync(path)));
    } catch (cause) {
      if (cause instanceof AgnoChatError) throw cause;
      throw refused(path, systemReason(cause) ?? "for an unknown reason", {
        hint: "Check that its folder is one, and that you may read and write there.",
        cause,
      });
    }
  }

  /** SQLite takes a file of one byte for an empty one, and would write over it. */
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

  /** Whether its log holds something that is not in the file yet. */
  get hasLog(): boolean {
    return sizeOf(`${this.path}-wal`) > 0;
  }

  /** Whether a crash left a transaction half-written in it. */
  get hasJournal(): boolean {
    return sizeOf(`${this.path}-journal`) > 0;
  }

  /** Whether nobody wrote to it since. */
  get isAsOpened(): boolean {
    const { size, mtimeMs, ino } = statSync(this.path, { throwIfNoEntry: false }) ?? NOTHING;
    const { size: sizeThen, mtimeMs: timeThen, ino: inoThen } = this.#opened;
    return size === sizeThen && mtimeMs === timeThen && ino === inoThen && !this.hasLog;
  }

  /**
   * What is written to a file without a name is lost, and a second name gets a log of its own.
   * @throws {AgnoChatError} `STORE_FAILED` when the path leads to another file by now, or the file has several names
   */
  assertInPlace(): void {
    const { dev, ino, nlink } = statSync(this.path, { throwIfNoEntry: false }) ?? NOTHING;
    if (ino !== this.#opened.ino || dev !== this.#opened.dev)
      throw refused(this.path, "it was removed or replaced since it was opened", {
        hint: "Put it back, or start agno-chat again.",
      });
    if (nlink > 1) throw severalNames(this.path, nlink);
  }

  /** Takes from others what they may do with it, if the file is this user's. Says so in one line, or that it is not. */
  closeToOthers(): string | undefined {
    const { mode, uid } = this.#opened;
    if (process.platform === "win32" || (mode & OTHERS) === 0) return undefined;
    const may = (mode & OTHERS_WRITE) === 0 ? "read" : "read and write";
    const name = JSON.stringify(this.path);
    const isOurs = uid === process.getuid?.() && [this.path, ...asides(this.path)].every(isClosed);
    return isOurs
      ? `Others could ${may} the memory file ${name}; now only you can.`
      : `Others can ${may} the memory file ${name}. Its owner can change that: chmod 600 FILE`;
  }
}

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

const NOTHING = { size: -1, mtimeMs: -1, dev: -1, ino: -1, nlink: 0 };

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const asides = (path: string): string[] =>
  [`${path}-wal`, `${path}-shm`].filter((each) => sizeOf(each) > 0);

/** Closes it to others; whether that was possible. */
function isClosed(path: string): boolean {
  try {
    chmodSync(path, statSync(path).mode & 0o700);
    return true;
  } catch {
    return false;
  }
}

function checked(path: string, stats: Stats): Stats {
  if (stats.isDirectory()) throw refused(path, "it is a folder", NAME_ANOTHER);
  if (!stats.isFile()) throw refused(path, "it is no regular file", NAME_ANOTHER);
  if (stats.nlink > 1) throw severalNames(path, stats.nlink);
  return stats;
}

const NAME_ANOTHER = { hint: "Name another file." };

const severalNames = (path: string, count: number): AgnoChatError =>
  refused(path, `it has ${count} names (hard links), and each would get a log of its own`, {
    hint: "Copy it to a name of its own.",
  });

const refused = (
  path: string,
  reason: string,
  options: { readonly hint: string; readonly cause?: unknown },
): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    `Cannot use the memory file ${JSON.stringify(path)}: ${reason}.`,
    options,
  );

/**
 * The path as a full one, which nothing takes for an address.
 * @throws {AgnoChatError} `STORE_UNKNOWN` for the name of another kind of store
 */
export function pathOf(path: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(path)?.[1];
  if (path === "")
    throw unknown(
      "The memory sqlite: names no file.",
      "Use sqlite:PATH, for example sqlite:history.db.",
    );
  if (path === ":memory:" || path === "memory:")
    throw unknown(
      `The memory sqlite:${path} would be a file of that name.`,
      "Use memory: to keep nothing.",
    );
  if (scheme?.toLowerCase() === "file" || path.startsWith("//"))
    throw unknown(
      "The memory sqlite: takes a path, no address.",
      "Use sqlite:PATH, for example sqlite:history.db.",
    );
  if (scheme !== undefined)
    throw unknown(
      `The memory sqlite: takes a path, and ${JSON.stringify(`${scheme}:`)} looks like another kind of store.`,
      `Leave out sqlite:, or for a file of that name write sqlite:./${scheme}:…`,
    );
  return resolve(path);
}

const unknown = (message: string, hint: string): AgnoChatError =>
  new AgnoChatError("STORE_UNKNOWN", message, { hint });
