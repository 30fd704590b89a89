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
import { systemReason } from "../system-errors.js";

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
  options: WriteOptions = {},
): Promise<void> {
  const fill = async (file: string) => write(await open(file, "w"), pieces);
  await makePrivateFile(path, fill, { ...options, onOther: () => fill(path) });
}

interface MakeOptions<Result> extends WriteOptions {
  /** Writes to what is there already and is no file, such as a pipe. */
  readonly onOther: () => Promise<Result>;
}

/**
 * Makes a file that only its owner can read, as `writePrivateFile` does.
 * @param fill Writes to an empty file beside it, which then gets its name.
 * @returns what `fill` returns
 * @throws {AgnoChatError} as `writePrivateFile`; what `fill` throws
 */
export async function makePrivateFile<Result>(
  path: string,
  fill: (beside: string) => Promise<Result>,
  { overwrite = false, hint = "Choose another name.", onOther }: MakeOptions<Result>,
): Promise<Result> {
  const known = await lstat(path).catch(() => undefined);
  // Checked first, so that the work is not done in vain.
  if (known !== undefined && !overwrite) throw fileExists(path, hint);
  try {
    // A link that leads nowhere is replaced: written through, others could read the new file.
    const target = await stat(path).catch(({ code }: NodeJS.ErrnoException) =>
      code === "ENOENT" ? undefined : known,
    );
    if (target?.isFile() === false) return await onOther();
    return await fillBeside(path, fill, overwrite);
  } catch (thrown) {
    if (thrown instanceof AgnoChatError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "EEXIST") throw fileExists(path, hint);
    const reason = systemReason(thrown) ?? "unknown reason";
    throw new AgnoChatError("FILE_UNWRITABLE", `Cannot write ${JSON.stringify(path)}: ${reason}.`, {
      hint: "Name a file that you can write, in a folder that is there.",
      cause: thrown,
    });
  }
}

async function fillBeside<Result>(
  path: string,
  fill: (beside: string) => Promise<Result>,
  overwrite: boolean,
): Promise<Result> {
  // A link to a file stays a link.
  const target = overwrite ? await realpath(path).catch(() => path) : path;
  const beside = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  try {
    await (await open(beside, "wx", PRIVATE)).close();
    const result = await fill(beside);
    await sync(beside, "r+");
    // Reserves the name, and fails if it was taken meanwhile.
    if (!overwrite) await (await open(target, "wx", PRIVATE)).close();
    await rename(beside, target);
    // Some systems cannot do that for a folder.
    await sync(dirname(target), "r").catch(() => {});
    return result;
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}

async function write(file: FileHandle, pieces: AsyncIterable<string>): Promise<void> {
  try {
    await writeFile(file, pieces);
  } finally {
    await file.close();
  }
}

/** Returns once what was written is on disk. */
async function sync(path: string, flags: "r" | "r+"): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

const fileExists = (path: string, hint: string): AgnoChatError =>
  new AgnoChatError("FILE_EXISTS", `The file ${JSON.stringify(path)} already exists.`, { hint });
