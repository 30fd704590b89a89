import { attachmentsOf, callsOf, type StoredMessage } from "../messages.js";
import { sanitise } from "../sanitise.js";
import { detailsOf } from "./export-attachments.js";
import { type ExportHead, headingOf, originOf, titleOf } from "./export-head.js";

/**
 * The beginning of a page that needs no other file, runs nothing and loads nothing. It must be
 * followed by messages and `HTML_CLOSING`.
 */
export const htmlOpening = (head: ExportHead): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${safe(titleOf(head))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${safe(titleOf(head))}</h1>
<p class="note">${safe(originOf(head))}</p>
`;

export const HTML_CLOSING = "</body>\n</html>\n";

/** One message. Its code blocks are set apart; everything else is shown as it was written. */
export function htmlMessage(message: StoredMessage, head: ExportHead): string {
  const { role, createdAt } = message;
  const calls = callsOf(message).map(
    ({ name, arguments: args }) =>
      `<p class="note">called <code>${safe(name)}</code> with <code>${safe(args)}</code></p>\n`,
  );
  const files = attachmentsOf(message).map(
    (file) => `<p class="note">with <code>${safe(file.name)}</code> ${safe(detailsOf(file))}</p>\n`,
  );
  return `<article class="${role}">
<h2>${safe(headingOf(message, head))} <time datetime="${safe(createdAt)}">${safe(createdAt)}</time></h2>
${contentOf(message)}${files.join("")}${calls.join("")}</article>
`;
}

/** What a tool returned is rarely prose, and an empty message has no text. */
function contentOf({ role, content }: StoredMessage): string {
  if (content === "") return "";
  return role === "tool" ? codeBlock(content) : textWithCode(content);
}

/** A block of code stands between two lines that begin with three backticks. */
function textWithCode(content: string): string {
  let html = "";
  let lines: string[] = [];
  let isCode = false;
  const endPart = () => {
    html += isCode ? codeBlock(lines.join("\n")) : prose(lines.join("\n"));
    lines = [];
  };
  for (const line of sanitise(content).split("\n"))
    if (isCode ? /^```\s*$/.test(line) : line.startsWith("```")) {
      endPart();
      isCode = !isCode;
    } else lines.push(line);
  endPart();
  return html;
}

const prose = (text: string): string =>
  text.trim() === "" ? "" : `<div dir="auto">${safe(text.trim())}</div>\n`;

// The parser drops a line feed right after <pre>, so that one is added for it to drop.
const codeBlock = (text: string): string => `<pre>\n${safe(text)}</pre>\n`;

/**
 * Text that is text anywhere in a page, also in a quoted attribute. Sanitised on its own, since an
 * escape sequence that does not end would swallow the markup behind it.
 */
const safe = (text: string): string =>
  sanitise(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const STYLE = `
:root { color-scheme: light dark }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif;
  background: Canvas; color: CanvasText }
h1 { font-size: 1.5rem; margin: 0 }
h2 { font-size: 0.875rem; margin: 0 0 0.25rem }
time, .note { font-size: 0.875rem; font-weight: normal; opacity: 0.75 }
article { margin: 1rem 0; padding: 0.75rem 1rem; border-left: 0.25rem solid GrayText;
  overflow-wrap: anywhere }
article.user { border-color: light-dark(#0a58ca, #6ea8fe) }
article.assistant { border-color: light-dark(#146c43, #75b798) }
div { white-space: pre-wrap }
pre, code { font-family: ui-monospace, monospace; font-size: 0.875rem }
pre { margin: 0.5rem 0; padding: 0.5rem 0.75rem; border: 1px solid GrayText; white-space: pre-wrap }
@media print {
  :root { color-scheme: light }
  body { max-width: none; margin: 0 }
  h2 { break-after: avoid }
}
`;
