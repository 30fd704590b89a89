import { randomUUID } from "node:crypto";
import {
  type FileHandle,
  lstat,
  open,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AgnoChatError } from "../errors.js";

/** Read and write for the owner, nothing for others. */
const PRIVATE = 0o600;

export interface WriteOptions {
  readonly overwrite?: boolean;
  /** The hint when the file exists. */
  readonly hint?: string;
}

/**
 * Writes a file that only its owner can read. The file gets its name once all of it is on disk, so
 * no reader sees half a file. A device or a pipe is written to directly.
 * @throws {AgnoChatError} `FILE_EXISTS` unless `overwrite` is set; `FILE_UNWRITABLE`; what `pieces`
 * throws
 */
export async function writePrivateFile(
  path: string,
  pieces: AsyncIterable<string>,
  { overwrite = false, hint = "Choose another name." }: WriteOptions = {},
): Promise<void> {
  const known = await lstat(path).catch(() => undefined);
  // Checked first, so that the work is not done in vain.
  if (known !== undefined && !overwrite) throw fileExists(path, hint);
  try {
    const target = await stat(path).catch(() => known);
    if (target?.isFile() !== false) await writeBeside(path, pieces, overwrite);
    else await write(await open(path, "w"), pieces);
  } catch (thrown) {
    if (thrown instanceof AgnoChatError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "EEXIST") throw fileExists(path, hint);
    throw new AgnoChatError("FILE_UNWRITABLE", `Cannot write ${JSON.stringify(path)} (${code}).`, {
      cause: thrown,
    });
  }
}

async function writeBeside(
  path: string,
  pieces: AsyncIterable<string>,
  overwrite: boolean,
): Promise<void> {
  // A link to a file stays a link.
  const target = overwrite ? await realpath(path).catch(() => path) : path;
  const beside = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  try {
    await write(await open(beside, "wx", PRIVATE), pieces);
    // Reserves the name, and fails if it was taken meanwhile.
    if (!overwrite) await (await open(target, "wx", PRIVATE)).close();
    await rename(beside, target);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}

async function write(file: FileHandle, pieces: AsyncIterable<string>): Promise<void> {
  try {
    await writeFile(file, pieces);
    if ((await file.stat()).isFile()) await file.sync();
  } finally {
    await file.close();
  }
}

const fileExists = (path: string, hint: string): AgnoChatError =>
  new AgnoChatError("FILE_EXISTS", `The file ${JSON.stringify(path)} already exists.`, { hint });
