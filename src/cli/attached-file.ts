import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { attachedFiles, type NewAttachment } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import type { Attachment } from "../messages.js";
import { unreadableFile } from "./unreadable-file.js";

/** More than any file may have, so that no larger one is read. */
const MOST_BYTES = 25_000_000;

/**
 * Reads the files to send with a message, in their order.
 * @throws {AgnoChatError} `FILE_UNREADABLE`; `INVALID_INPUT` if they cannot all be sent together
 */
export async function filesToAttach(paths: readonly string[]): Promise<readonly NewAttachment[]> {
  const files = await Promise.all(paths.map(fileToAttach));
  attachedFiles(files);
  return files;
}

/**
 * Reads a file to send with a message, and makes sure that it can be sent.
 * @throws {AgnoChatError} `FILE_UNREADABLE`, `INVALID_INPUT`
 */
export async function fileToAttach(path: string): Promise<NewAttachment> {
  const content = await contentOf(path);
  const file = { name: basename(path), content };
  attachedFiles([file]);
  return file;
}

/** Such as `photo.png (image/png, 12,345 bytes)`. */
export const describedFile = ({ name, type, bytes }: Attachment): string =>
  `${name} (${type}, ${bytes.toLocaleString("en")} ${bytes === 1 ? "byte" : "bytes"})`;

async function contentOf(path: string): Promise<Uint8Array> {
  const quoted = JSON.stringify(path);
  try {
    // A pipe or a terminal could hold the command up for ever.
    const found = await stat(path);
    if (!found.isFile()) throw invalid(`${quoted} is not a file that can be sent.`);
    if (found.size > MOST_BYTES) throw invalid(`The file ${quoted} is too large to send.`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof AgnoChatError) throw cause;
    throw unreadableFile(`the file ${quoted}`, cause);
  }
}

const invalid = (message: string): AgnoChatError => new AgnoChatError("INVALID_INPUT", message);
