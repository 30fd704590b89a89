import type { LiveRenderer } from "./live-text.js";
import { createMarkdownRenderer, type MarkdownOptions } from "./markdown.js";
import { plainReply } from "./reply.js";

/** A reply as Markdown on a terminal, made safe before it is drawn. For one reply. */
export function markdownReply(options: MarkdownOptions): LiveRenderer {
  const safe = plainReply();
  const markdown = createMarkdownRenderer(options);
  return {
    write: (chunk) => markdown.write(safe.write(chunk)),
    end: () => markdown.write(safe.end()) + markdown.end(),
    rest: () => markdown.copy().end(),
  };
}
