import { AgnoChatError } from "../../../errors.js";
import { loadEngine, peek } from "./driver.js";
import { pathOf } from "./path.js";
import { openAsItIs, peekMemoryFile } from "./schema.js";
import { FileChanged, isSqlite, SQLITE_FULL } from "./sqlite-errors.js";

/** What a memory file holds. */
export interface Contents {
  readonly users: number;
  readonly messages: number;
}

/**
 * Copies a memory file as it is at one moment, while others write to it. The copy is made row by
 * row, so that it holds nothing that was deleted. Blocks the process until it is done.
 * @param target An empty file.
 * @throws {AgnoChatError} `STORE_…`; `FILE_UNWRITABLE` when the disk is full
 */
export async function backUpSqlite(name: string, target: string): Promise<Contents> {
  const connection = await openAsItIs(pathOf(name));
  try {
    await connection.retry(() => connection.run("VACUUM INTO ?", target));
    // Says whether what was read is from one moment, for a file that may only be read.
    await connection.read(() => {});
  } catch (error) {
    throw isSqlite((error as Error).cause, SQLITE_FULL) ? diskFull(error) : changed(error);
  } finally {
    await connection.close();
  }
  return contentsOf(target);
}

/** The bytes that a memory file has without its free pages: about those of a copy. */
export async function bytesInUse(name: string): Promise<number> {
  const [bytes] = await peekMemoryFile(pathOf(name), BYTES_IN_USE);
  return Number(bytes);
}

const BYTES_IN_USE = `(SELECT (page_count - freelist_count) * page_size
  FROM pragma_page_count, pragma_freelist_count, pragma_page_size)`;

async function contentsOf(path: string): Promise<Contents> {
  const [users, messages] = await peek(await loadEngine(), path, {
    readMode: "immutable",
    expressions: "(SELECT count(*) FROM users), (SELECT coalesce(sum(messages), 0) FROM users)",
  });
  return { users: Number(users), messages: Number(messages) };
}

const diskFull = (cause: unknown): AgnoChatError =>
  new AgnoChatError("FILE_UNWRITABLE", "The disk of the backup is full.", {
    hint: "Free some disk space, or choose a file on another disk.",
    cause,
  });

const changed = (error: unknown): unknown =>
  error instanceof FileChanged
    ? new AgnoChatError("STORE_FAILED", "The memory file was written to meanwhile.", {
        hint: "Run the backup again, as a user who may write in the folder of the file.",
      })
    : error;
