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
  /** What to do about a file that exists. */
  readonly hint?: string;
}

/**
 * Writes a file that only its owner can read. It gets its name when all of it is on disk, so there is never half a
 * file, and an older one is there until then. Into a device or a pipe it writes at once.
 * @throws {AgnoChatError} `FILE_EXISTS` unless it may be overwritten, `FILE_UNWRITABLE`; what the pieces throw
 */
export async function writePrivateFile(
  path: string,
  pieces: AsyncIterable<string>,
  { overwrite = false, hint = "Name another one." }: WriteOptions = {},
): Promise<void> {
  const known = await lstat(path).catch(() => undefined);
  // Looked up first, or else it would be found out after all of the work.
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
  const place = overwrite ? await realpath(path).catch(() => path) : path;
  const beside = join(dirname(place), `.${basename(place)}.${randomUUID()}.tmp`);
  try {
    await write(await open(beside, "wx", PRIVATE), pieces);
    // Takes the name, unless somebody else has taken it meanwhile.
    if (!overwrite) await (await open(place, "wx", PRIVATE)).close();
    await rename(beside, place);
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
  new AgnoChatError("FILE_EXISTS", `The file ${JSON.stringify(path)} exists already.`, { hint });
