import { isPicture } from "../../attachments.js";
import type { Attachment } from "../../messages.js";
import type { Intent } from "./demo-request.js";

/** Names the files that came with the message, and admits that it makes nothing of them. */
export const nameFiles: Intent = ({ files }) => {
  if (files.length === 0) return undefined;
  const count = files.length === 1 ? "a file" : `${files.length} files`;
  return `I got ${count}: ${files.map(described).join(", ")}. I am only a demo model that works offline, so I cannot look at pictures, and have no real answer about texts.`;
};

const described = ({ name, type, bytes }: Attachment): string =>
  `“${name}” (${isPicture(type) ? `a ${type.slice("image/".length).toUpperCase()} picture` : "text"}, ${bytes} ${bytes === 1 ? "byte" : "bytes"})`;
