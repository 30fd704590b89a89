import { attachmentTypeOf, hashOf } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import { type Attachment, attachmentsOf as attachmentsIn, type Contents } from "../messages.js";
import { userIdOf } from "./arguments.js";
import { storeClosed } from "./failures.js";
import type { Attachments } from "./memory.js";
import type { NewRow, StoreAttachments } from "./store.js";

/** The attachments of a store, for a memory over it. */
export const attachmentsOf = (
  store: StoreAttachments,
  { isClosed }: { readonly isClosed: () => boolean },
): Attachments => ({
  read(userId, hashes) {
    if (isClosed()) throw storeClosed();
    return store.read(userIdOf(userId), [...new Set(hashes)]);
  },
});

/**
 * Copies of the contents that these messages name, each of them what its message says it is.
 * @throws {AgnoChatError} `INVALID_MESSAGE`
 */
export function checkedContents(rows: readonly NewRow[], given: Contents = new Map()): Contents {
  const contents = new Map<string, Uint8Array>();
  for (const attachment of rows.flatMap(attachmentsIn)) {
    const content = contents.get(attachment.hash) ?? copyOf(given.get(attachment.hash));
    if (!contents.has(attachment.hash) && hashOf(content) !== attachment.hash)
      throw invalid("has another content than its hash says");
    if (!isOf(content, attachment)) throw invalid("has another content than its message says");
    contents.set(attachment.hash, content);
  }
  return contents;
}

/** Whoever gave it may change it before it is stored. */
function copyOf(content: Uint8Array | undefined): Uint8Array {
  if (content === undefined) throw invalid("has no content");
  return new Uint8Array(content);
}

const isOf = (content: Uint8Array, { bytes, type }: Attachment): boolean =>
  content.length === bytes && attachmentTypeOf(content) === type;

const invalid = (reason: string): AgnoChatError =>
  new AgnoChatError("INVALID_MESSAGE", `Invalid message: an attachment ${reason}.`, {
    hint: "Add it with the contents of all its attachments, by their hashes.",
  });
