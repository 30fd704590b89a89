import type { UserId } from "../ids.js";
import type { Memory } from "../memory/memory.js";
import {
  type Attachment,
  attachmentsOf,
  type Contents,
  hashesOf,
  type StoredMessage,
} from "../messages.js";

const NONE: Contents = new Map();

/** Contents of the attachments of one message. Those of a whole history may not fit in memory. */
export async function contentsOfMessage(
  memory: Memory,
  userId: UserId,
  message: StoredMessage,
): Promise<Contents> {
  const hashes = hashesOf([message]);
  return hashes.length === 0 ? NONE : ((await memory.attachments?.read(userId, hashes)) ?? NONE);
}

/** The message with its attachments' contents as `content`, in base64. */
export function withBase64(message: StoredMessage, contents: Contents): object {
  if (contents.size === 0) return message;
  const attachments = attachmentsOf(message).map((attachment) => {
    const content = contents.get(attachment.hash);
    return content === undefined ? attachment : { ...attachment, content: base64Of(content) };
  });
  return { ...message, attachments };
}

export const base64Of = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString("base64");

/** Such as `(image/png, 12,345 bytes)`. */
export const detailsOf = ({ type, bytes }: Attachment): string =>
  `(${type}, ${bytes.toLocaleString("en")} ${bytes === 1 ? "byte" : "bytes"})`;
