import type { Palette } from "./colour.js";
import { type Blocks, createBlocks } from "./markdown/blocks.js";
import { paintRow, type Row } from "./wrap.js";

export interface MarkdownOptions {
  /** The terminal's columns, read again for every row. From 12 on, no row is wider. */
  readonly width: () => number;
  readonly palette: Palette;
  /** The start of every row, so that none looks like a prompt. */
  readonly indent: string;
}

export interface MarkdownRenderer {
  /** Returns the rows that are now final, each with a line feed. */
  write(chunk: string): string;
  /** Returns the remaining rows. The renderer is then ready for another text. */
  end(): string;
  /** An independent renderer of the same text so far. Its `end` returns the unfinished rows. */
  copy(): MarkdownRenderer;
}

/** The state of a renderer within a text. */
interface RendererState {
  readonly blocks: Blocks;
  /** The part of the last line that was not passed to `blocks` yet. */
  readonly line: string;
  readonly reading: "head" | "whole" | "flow";
}

/** A line is read as part of a paragraph after this many UTF-16 units that allow nothing else. */
const HEAD = 48;
const CERTAIN_TEXT = 12;
const LETTER = /\p{L}/u;

/**
 * Renders Markdown for a terminal as it arrives. Expects sanitised text. Each row is written once,
 * when later text can no longer change it. The result does not depend on how the text is cut into
 * chunks.
 *
 * Blocks are recognised line by line, as in CommonMark. A paragraph comes row by row, its last row
 * when the next block begins; code comes line by line; a table comes when it is complete.
 *
 * Final rows have a cost. A paragraph whose first line is longer than 48 characters, without a "|"
 * near its start, cannot become a table or an underlined heading. Text after an opening mark such
 * as "**" waits for the closing one, for at most 500 characters. Link reference definitions and
 * HTML stay text.
 */
export function createMarkdownRenderer(options: MarkdownOptions): MarkdownRenderer {
  return renderFrom({ blocks: createBlocks(options), line: "", reading: "head" });
}

function renderFrom(from: RendererState): MarkdownRenderer {
  const { blocks } = from;
  let { line, reading } = from;

  function takePart(part: string): Row[] {
    if (reading === "flow") return blocks.text(part);
    line += part;
    if (reading === "whole") return [];
    if (line.length >= HEAD) return takeHead();
    return LETTER.test(line) ? blocks.begin(withoutTabs(line)) : [];
  }

  function takeHead(): Row[] {
    const head = withoutTabs(line.slice(0, HEAD));
    const plan = blocks.plan(head);
    const start = head.slice(plan.at);
    const isParagraph = plan.kind === "text" && start.length >= CERTAIN_TEXT;
    reading = isParagraph && !/[|]|^[-=\s]*$/.test(start) ? "flow" : "whole";
    if (reading === "whole") return [];
    return [...blocks.beginText(plan), ...blocks.text(start + line.slice(HEAD))];
  }

  function endLine(): Row[] {
    const rows = reading === "flow" ? blocks.text("\n") : blocks.line(withoutTabs(line));
    line = "";
    reading = "head";
    return rows;
  }

  function take(piece: string): Row[] {
    return piece.endsWith("\n") ? [...takePart(piece.slice(0, -1)), ...endLine()] : takePart(piece);
  }

  return {
    write(chunk) {
      return chunk
        .split(/(?<=\n)/)
        .flatMap(take)
        .map(paintRow)
        .join("");
    },
    end() {
      const isOpen = line !== "" || reading === "flow";
      return [...(isOpen ? endLine() : []), ...blocks.end()].map(paintRow).join("");
    },
    copy: () => renderFrom({ blocks: blocks.copy(), line, reading }),
  };
}

/** Expands leading tabs to tab stops of four columns. */
function withoutTabs(line: string): string {
  const lead = /^[ \t]*/.exec(line)?.[0] ?? "";
  if (!lead.includes("\t")) return line;
  let blanks = "";
  for (const character of lead)
    blanks += character === " " ? " " : " ".repeat(4 - (blanks.length % 4));
  return blanks + line.slice(lead.length);
}
