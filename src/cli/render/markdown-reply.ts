import type { LiveRenderer } from "./live-text.js";
import { createMarkdownRenderer, type MarkdownOptions } from "./markdown.js";
import { plainReply } from "./reply.js";
import { wrapText } from "./wrap.js";

/** In UTF-16 units. */
const LONGEST_WITHOUT_ROW = 1000;

/**
 * A reply as Markdown on a terminal, made safe before it is drawn. For one reply. Where drawing fails, which must cost no
 * reply, the text goes on as it was written, from the last row that is certain at the latest.
 */
export function markdownReply(options: MarkdownOptions): LiveRenderer {
  const safe = plainReply();
  let markdown = createMarkdownRenderer(options);
  /** The end of what was written: more of it than can be without a row. */
  let unshown = "";
  let hasFailed = false;

  function asWritten(text: string): string {
    return text === "" ? "" : wrapText(text, { width: options.width(), indent: options.indent });
  }

  function draw(chunk: string): string {
    unshown += chunk;
    if (hasFailed) return wholeLines();
    try {
      // On a copy, so that what was read before is still whole when this fails.
      const next = markdown.copy();
      const rows = next.write(chunk);
      markdown = next;
      if (rows !== "") unshown = unshown.slice(-LONGEST_WITHOUT_ROW);
      return rows;
    } catch {
      const before = rest();
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

  function rest(): string {
    try {
      return hasFailed ? asWritten(unshown) : markdown.copy().end();
    } catch {
      hasFailed = true;
      return asWritten(unshown);
    }
  }

  return {
    write: (chunk) => draw(safe.write(chunk)),
    end: () => draw(safe.end()) + rest(),
    unfinished: rest,
  };
}
