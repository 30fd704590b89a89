import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { attachedFiles, type NewAttachment } from "../attachments.js";
import { detailsOf } from "../data/export-attachments.js";
import { AgnoChatError } from "../errors.js";
import type { Attachment } from "../messages.js";
import { unreadableFile } from "./unreadable-file.js";

/** More than any file may have, so that no larger one is read. */
const MOST_BYTES = 25_000_000;

/**
 * Reads the files to send with a message, in their order, and makes sure that they can be sent.
 * @throws {AgnoChatError} `FILE_UNREADABLE`; `INVALID_INPUT` if they cannot all be sent together
 */
export async function filesToAttach(paths: readonly string[]): Promise<readonly NewAttachment[]> {
  const files = await Promise.all(paths.map(fileToAttach));
  attachedFiles(files);
  return files;
}

/**
 * Reads a file to send with a message. Whether it can be sent is not known yet.
 * @throws {AgnoChatError} `FILE_UNREADABLE`; `INVALID_INPUT` for no file, or one too large for any
 */
export async function fileToAttach(path: string): Promise<NewAttachment> {
  return { name: basename(path), content: await contentOf(path) };
}

/** Such as `photo.png (image/png, 12,345 bytes)`. */
export const describedFile = (file: Attachment): string => `${file.name} ${detailsOf(file)}`;

async function contentOf(path: string): Promise<Uint8Array> {
  const quoted = JSON.stringify(path);
  try {
    // A pipe or a terminal could hold the command up for ever.
    const found = await stat(path);
    if (!found.isFile()) throw invalid(`${quoted} is not a file that can be sent.`);
    if (found.size > MOST_BYTES) throw invalid(`The file ${quoted} is too large to send.`);
    return await readFile(path);
  } catch (cause) {
    throw unreadableFile(`the file ${quoted}`, cause);
  }
}

const invalid = (message: string): AgnoChatError => new AgnoChatError("INVALID_INPUT", message);
