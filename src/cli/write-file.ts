import { writeFileSync } from "node:fs";
import { AgnoChatError } from "../errors.js";

/**
 * Writes a file that only its owner can read.
 * @throws {AgnoChatError} `FILE_EXISTS` unless it may be overwritten, `FILE_UNWRITABLE`
 */
export function writePrivateFile(path: string, text: string, { overwrite = false } = {}): void {
  try {
    writeFileSync(path, text, { flag: overwrite ? "w" : "wx", mode: 0o600 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new AgnoChatError("FILE_EXISTS", `The file ${JSON.stringify(path)} exists already.`, {
        hint: "Name another one, or overwrite it with --force.",
      });
    throw new AgnoChatError("FILE_UNWRITABLE", `Cannot write ${JSON.stringify(path)} (${code}).`, {
      cause,
    });
  }
}
