import { closeSync, fchmodSync, fstatSync, openSync, writeFileSync } from "node:fs";
import { AgnoChatError } from "../errors.js";

/** Read and write for the owner, nothing for others. */
const PRIVATE = 0o600;

/**
 * Writes a file that only its owner can read.
 * @throws {AgnoChatError} `FILE_EXISTS` unless it may be overwritten, `FILE_UNWRITABLE`
 */
export function writePrivateFile(
  path: string,
  text: string,
  { overwrite = false, hint = "Name another one." } = {},
): void {
  try {
    write(openSync(path, overwrite ? "w" : "wx", PRIVATE), text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new AgnoChatError("FILE_EXISTS", `The file ${JSON.stringify(path)} exists already.`, {
        hint,
      });
    throw new AgnoChatError("FILE_UNWRITABLE", `Cannot write ${JSON.stringify(path)} (${code}).`, {
      cause,
    });
  }
}

function write(file: number, text: string): void {
  try {
    // One that is written over keeps the mode it had; a device must.
    if (fstatSync(file).isFile()) fchmodSync(file, PRIVATE);
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}
