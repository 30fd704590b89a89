import type { Entry, ZipFile } from "yauzl";
import { AgnoChatError } from "../../errors.js";

/** What an archive of ChatGPT or Claude keeps its conversations in; large ones in several files. */
const CONVERSATIONS = /(^|\/)conversations(-\d+)?\.json$/;

/** Text compresses about tenfold. A file that expands a thousandfold is made to fill a disk. */
const MOST_EXPANSION = 200;
const SMALL_BYTES = 10_000_000;

/**
 * The conversations in a zip archive, one file after the other. Nothing is written to the disk.
 * @param path Its file; a zip archive cannot be read from a pipe, since its index is at its end.
 * @throws {AgnoChatError} `INVALID_INPUT` for an archive that is damaged, encrypted or without
 *   conversations
 */
export async function* archivedFiles(path: string): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const { openPromise } = await import("yauzl");
  const zip = await openPromise(path, { autoClose: false }).catch((cause: unknown) => {
    throw unreadable(cause);
  });
  try {
    const entries = await conversationsIn(zip);
    if (entries.length === 0)
      throw new AgnoChatError("INVALID_INPUT", "The archive has no conversations.json.", {
        hint: "Import the archive that ChatGPT or Claude sent you, as it is.",
      });
    for (const entry of entries) {
      refuseBomb(entry);
      yield bytesOf(zip, entry);
    }
  } finally {
    zip.close();
  }
}

async function conversationsIn(zip: ZipFile): Promise<Entry[]> {
  try {
    const found: Entry[] = [];
    for await (const entry of zip.eachEntry())
      if (CONVERSATIONS.test(entry.fileName)) found.push(entry);
    return found.sort((one, other) => (one.fileName < other.fileName ? -1 : 1));
  } catch (cause) {
    throw unreadable(cause);
  }
}

async function* bytesOf(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of await zip.openReadStreamPromise(entry)) yield bytes as Uint8Array;
  } catch (cause) {
    throw cause instanceof AgnoChatError ? cause : unreadable(cause);
  }
}

function refuseBomb({ compressedSize, uncompressedSize, fileName }: Entry): void {
  if (uncompressedSize < SMALL_BYTES || uncompressedSize <= compressedSize * MOST_EXPANSION) return;
  throw new AgnoChatError(
    "INVALID_INPUT",
    `${JSON.stringify(fileName)} in the archive expands ${Math.round(uncompressedSize / compressedSize)}-fold, so it is no export.`,
  );
}

/** The library names what is wrong, and nothing of the content. */
function unreadable(cause: unknown): AgnoChatError {
  const reason = cause instanceof Error ? cause.message : "unknown";
  return new AgnoChatError("INVALID_INPUT", `The archive cannot be read: ${reason}.`, {
    hint: "Download it again.",
    cause,
  });
}
