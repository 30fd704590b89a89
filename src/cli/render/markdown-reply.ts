import type { Palette } from "./colour.js";
import { createMarkdownRenderer } from "./markdown.js";
import { plainReply } from "./reply.js";
import type { TextRenderer } from "./run-view.js";

export interface MarkdownReplyOptions {
  /** Columns of the terminal, asked anew for every row. */
  readonly width: () => number;
  readonly palette: Palette;
  /** What every row begins with. */
  readonly indent: string;
}

/** A reply as Markdown on a terminal, made safe before it is drawn. For one reply. */
export function markdownReply(options: MarkdownReplyOptions): TextRenderer {
  const safe = plainReply();
  const markdown = createMarkdownRenderer(options);
  return {
    write: (chunk) => markdown.write(safe.write(chunk)),
    end: () => markdown.write(safe.end()) + markdown.end(),
  };
}
