import type { LiveRenderer } from "./live-text.js";
import { createMarkdownRenderer, type MarkdownOptions } from "./markdown.js";
import { plainReply } from "./reply.js";
import { wrapText } from "./wrap.js";

/** UTF-16 units kept after a final row: more than an unfinished row of a paragraph needs. */
const LONGEST_WITHOUT_ROW = 1000;

/**
 * Renders one reply as Markdown for a terminal, sanitised first. If rendering fails, no text is
 * lost: the rest of the reply is shown as written, starting no later than the last final row.
 */
export function markdownReply(options: MarkdownOptions): LiveRenderer {
  const safe = plainReply();
  let markdown = createMarkdownRenderer(options);
  /** The end of the text so far: at least all of it that is not in a final row. */
  let unshown = "";
  let hasFailed = false;

  function asWritten(text: string): string {
    return text === "" ? "" : wrapText(text, { width: options.width(), indent: options.indent });
  }

  function draw(chunk: string): string {
    unshown += chunk;
    if (hasFailed) return wholeLines();
    try {
      // On a copy, so that the earlier text can still be rendered if this fails.
      const next = markdown.copy();
      const rows = next.write(chunk);
      markdown = next;
      if (rows !== "") unshown = unshown.slice(-LONGEST_WITHOUT_ROW);
      return rows;
    } catch {
      const before = unfinished();
      if (!hasFailed) unshown = chunk;
      const shown = hasFailed ? "" : before;
      hasFailed = true;
      return shown + wholeLines();
    }
  }

  function wholeLines(): string {
    const end = unshown.lastIndexOf("\n");
    if (end < 0) return "";
    const lines = unshown.slice(0, end);
    unshown = unshown.slice(end + 1);
    return asWritten(lines);
  }

  function unfinished(): string {
    try {
      return hasFailed ? asWritten(unshown) : markdown.copy().end();
    } catch {
      hasFailed = true;
      return asWritten(unshown);
    }
  }

  return {
    write: (chunk) => draw(safe.write(chunk)),
    end: () => draw(safe.end()) + unfinished(),
    unfinished,
  };
}
