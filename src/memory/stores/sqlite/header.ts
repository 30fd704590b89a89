import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from "node:fs";

/** The beginning of a database file: https://sqlite.org/fileformat2.html#the_database_header */
const LENGTH = 100;
const MAGIC = "SQLite format 3\0";

export interface Header {
  readonly isSqlite: boolean;
  /** Whether it is marked as a memory file. */
  readonly isMemory: boolean;
  readonly isWriteAhead: boolean;
  /** How long it says the file is; 0 if it does not. */
  readonly bytes: number;
}

export function headerOf(path: string): Header {
  const header = read(path);
  const isCurrent = header.readUInt32BE(24) === header.readUInt32BE(92);
  return {
    isSqlite: header.toString("latin1", 0, MAGIC.length) === MAGIC,
    isMemory: header.toString("latin1", 68, 72) === "agno",
    isWriteAhead: header[18] === 2,
    bytes: isCurrent ? header.readUInt32BE(28) * pageBytesIn(header) : 0,
  };
}

/** 1 means 65,536. */
const pageBytesIn = (header: Buffer): number => header.readUInt16BE(16) & ~1 || 65_536;

function read(path: string): Buffer {
  const header = Buffer.alloc(LENGTH);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, LENGTH, 0);
    return header;
  } finally {
    closeSync(file);
  }
}

/** A header that says more is not believed. */
const MOST_MISSING_BYTES = 2 ** 36;

/**
 * Lets SQLite read a file that was cut off, or whose list of free pages is damaged: it is then as
 * long as it says, with zeros for what is missing, and has no free pages.
 */
export function mendHeader(path: string): void {
  const header = read(path);
  const { size } = statSync(path);
  const { bytes } = headerOf(path);
  if (bytes > size && bytes - size < MOST_MISSING_BYTES) truncateSync(path, bytes);
  const pages = Math.floor(statSync(path).size / pageBytesIn(header));
  header.write(MAGIC, 0, "latin1");
  header.writeUInt32BE(pages, 28);
  header.writeUInt32BE(header.readUInt32BE(24), 92);
  header.fill(0, 32, 40);
  const file = openSync(path, "r+");
  try {
    writeSync(file, header, 0, LENGTH, 0);
  } finally {
    closeSync(file);
  }
}
