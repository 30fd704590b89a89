import { AgnoChatError } from "./errors.js";
import { hasUnsafe } from "./ids.js";
import type { Attachment, AttachmentType, Contents } from "./messages.js";

/** A file to send with a message. */
export interface NewAttachment {
  /** Shown to the model: 1–255 visible characters. Says nothing of what the content is. */
  readonly name: string;
  /** Text, or the bytes of a text in UTF-8, or of a picture: PNG, JPEG, GIF or WebP. */
  readonly content: string | Uint8Array;
}

/** Files as they are sent and stored: named by a message, and their contents beside it. */
export interface AttachedFiles {
  readonly attachments: readonly Attachment[];
  readonly contents: Contents;
}

/** The most files of one message, and the most bytes: of one text, of one picture, of all. */
export const MOST_FILES = 10;
const MOST_TEXT_BYTES = 1_000_000;
const MOST_PICTURE_BYTES = 10_000_000;
const MOST_BYTES = 20_000_000;

/**
 * Reads files that come with a message. What they are is told by their contents, which are copied.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function attachedFiles(files: readonly NewAttachment[]): AttachedFiles {
  if (!Array.isArray(files)) throw invalid("The attachments are not a list.");
  if (files.length > MOST_FILES)
    throw invalid(`A message takes ${MOST_FILES} files at most, not ${files.length}.`, {
      hint: "Send them with several messages.",
    });
  const contents = new Map<string, Uint8Array>();
  const attachments = files.map((file: NewAttachment) => {
    const { content, ...attachment } = attachedFile(file);
    contents.set(attachment.hash, content);
    return Object.freeze(attachment);
  });
  const bytes = attachments.reduce((sum, attachment) => sum + attachment.bytes, 0);
  if (bytes > MOST_BYTES)
    throw invalid(`The files of a message may have ${megabytes(MOST_BYTES)} in all.`, {
      hint: "Send them with several messages.",
    });
  return { attachments: Object.freeze(attachments), contents };
}

function attachedFile({ name, content: given }: NewAttachment) {
  if (!isFileName(name))
    throw invalid(`A file needs a name of 1–${LONGEST_NAME} visible characters.`);
  const content = bytesOf(name, given);
  const type = attachmentTypeOf(content);
  if (type === undefined) throw unreadable(name, content);
  const most = isPicture(type) ? MOST_PICTURE_BYTES : MOST_TEXT_BYTES;
  if (content.length > most)
    throw invalid(
      `The file ${JSON.stringify(name)} is too large: ${isPicture(type) ? "a picture" : "a text"} may have ${megabytes(most)}.`,
      { hint: isPicture(type) ? "Make it smaller." : "Send a part of it." },
    );
  return { name, type, bytes: content.length, hash: hashOf(content), content };
}

function bytesOf(name: string, content: unknown): Uint8Array {
  if (content instanceof Uint8Array) return new Uint8Array(content);
  if (typeof content === "string" && content.isWellFormed())
    return new TextEncoder().encode(content);
  throw invalid(`The content of ${JSON.stringify(name)} is neither text nor bytes.`);
}

const LONGEST_NAME = 255;

/** Whether a text can be the name of a file: it is shown on screens and to the model. */
export const isFileName = (name: unknown): name is string =>
  typeof name === "string" &&
  name.trim() !== "" &&
  name.length <= LONGEST_NAME &&
  name.isWellFormed() &&
  !hasUnsafe(name);

/** What a content is, by its bytes; undefined for what no model is sent. */
export function attachmentTypeOf(content: Uint8Array): AttachmentType | undefined {
  for (const [type, pattern] of PICTURES) if (pattern.test(latin1(content, 0, 12))) return type;
  return isText(content) ? "text/plain" : undefined;
}

const PICTURES: readonly (readonly [AttachmentType, RegExp])[] = [
  ["image/png", /^\x89PNG\r\n\x1a\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF.{4}WEBP/s],
];

export const isPicture = (type: AttachmentType): boolean => type !== "text/plain";

const latin1 = (content: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...content.subarray(start, end));

/** Whether it is text in UTF-8. A PDF can be text by its bytes, but nobody can read it. */
function isText(content: Uint8Array): boolean {
  if (content.length === 0 || content.includes(0) || isPdf(content)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(content);
    return true;
  } catch {
    return false;
  }
}

const isPdf = (content: Uint8Array): boolean => latin1(content, 0, 5) === "%PDF-";

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

function unreadable(name: string, content: Uint8Array): AgnoChatError {
  const file = `The file ${JSON.stringify(name)}`;
  if (content.length === 0) return invalid(`${file} is empty.`);
  if (isUtf16(content))
    return invalid(`${file} is text in UTF-16.`, { hint: "Save it as UTF-8 first." });
  if (isPdf(content))
    return invalid(`${file} is a PDF, which models are not sent.`, {
      hint: "Send its text, or its pages as pictures.",
    });
  return invalid(`${file} is neither text in UTF-8 nor a picture.`, {
    hint: "Send text, or a picture as PNG, JPEG, GIF or WebP.",
  });
}

/** SHA-256 as 64 hexadecimal digits. */
export const hashOf = (content: Uint8Array): string =>
  process
    .getBuiltinModule("node:crypto") // here, because loading it takes as long as the whole library
    .createHash("sha256")
    .update(content)
    .digest("hex");

const megabytes = (bytes: number): string => `${bytes / 1_000_000} MB`;

const invalid = (message: string, options: { readonly hint?: string } = {}): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", message, options);
