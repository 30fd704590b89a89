import { attachmentsOf, callsOf, type StoredMessage } from "../messages.js";
import { detailsOf } from "./export-attachments.js";
import { type ExportHead, headingOf, originOf, titleOf } from "./export-head.js";

/** The beginning of an export in Markdown: user, date and model. */
export const markdownOpening = (head: ExportHead): string =>
  `# ${titleOf(head)}\n\n${originOf(head)}\n`;

/** One message in Markdown. It is not sanitised for a terminal. */
export const markdownMessage = (message: StoredMessage, head: ExportHead): string =>
  `\n## ${headingOf(message, head)} · ${message.createdAt}\n\n${body(message)}\n`;

function body(message: StoredMessage): string {
  const shown = callsOf(message).map(
    ({ name, arguments: args }) => `- called \`${name}\` with \`${args}\``,
  );
  const files = attachmentsOf(message).map(
    (attachment) => `- with \`${attachment.name}\` ${detailsOf(attachment)}`,
  );
  return [message.content, files.join("\n"), shown.join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}
