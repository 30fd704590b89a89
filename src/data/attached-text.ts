import { isPicture } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import {
  type Attachment,
  attachmentsOf,
  type Contents,
  haveAttachments,
  type Message,
} from "../messages.js";
import type { ModelRequest } from "../models/model.js";

/**
 * The messages as the model gets them: texts stand in the content of their message, pictures beside
 * the messages.
 * @param contents Of all attachments that the messages name.
 * @throws {AgnoChatError} `STORE_FAILED` if one is missing
 */
export function withContents(
  messages: readonly Message[],
  contents: Contents,
): Pick<ModelRequest, "messages" | "pictures"> {
  if (!haveAttachments(messages)) return { messages };
  const pictures = new Map<string, Uint8Array>();
  const withTexts = messages.map((message) => {
    const texts: string[] = [];
    for (const attachment of attachmentsOf(message)) {
      const content = contentOf(attachment, contents);
      if (isPicture(attachment.type)) pictures.set(attachment.hash, content);
      else texts.push(fenced(attachment, new TextDecoder().decode(content)));
    }
    return texts.length === 0
      ? message
      : { ...message, content: [message.content, ...texts].join("\n\n") };
  });
  return pictures.size === 0 ? { messages: withTexts } : { messages: withTexts, pictures };
}

function contentOf({ name, hash }: Attachment, contents: Contents): Uint8Array {
  const content = contents.get(hash);
  if (content !== undefined) return content;
  throw new AgnoChatError(
    "STORE_FAILED",
    `The file ${JSON.stringify(name)} of an earlier message is no longer stored.`,
    { hint: "Send the message again." },
  );
}

/** Between fences that are longer than any in the text, so that it cannot end them. */
function fenced({ name }: Attachment, text: string): string {
  const runs = text.match(/`{3,}/g) ?? [];
  const fence = "`".repeat(Math.max(2, ...runs.map(({ length }) => length)) + 1);
  const end = text.endsWith("\n") ? "" : "\n";
  return `File ${JSON.stringify(name)}:\n${fence}\n${text}${end}${fence}`;
}
