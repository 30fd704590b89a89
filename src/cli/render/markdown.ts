import type { Palette } from "./colour.js";
import { type Blocks, createBlocks } from "./markdown/blocks.js";
import { paintRow, type Row } from "./wrap.js";

export interface MarkdownOptions {
  /** Columns of the terminal, asked anew for every row; from 12 on no row is wider. */
  readonly width: () => number;
  readonly palette: Palette;
  /** What every row starts with, so that none can pass for a prompt. */
  readonly indent: string;
}

export interface MarkdownRenderer {
  /** The rows that are certain now, each ended by a line feed. */
  write(chunk: string): string;
  /** The rows that were still open. The renderer is then ready for another text. */
  end(): string;
  /** The same text so far, to go on with apart from this one: its `end` shows what is still open. */
  copy(): MarkdownRenderer;
}

/** How far a text was read. */
interface RendererState {
  readonly blocks: Blocks;
  /** What of its last line was not handed on. */
  readonly line: string;
  readonly reading: "head" | "whole" | "flow";
}

/** A line is known to be a paragraph's once this much of it can be nothing else; a shorter line waits for its end. */
const HEAD = 48;
const CERTAIN_TEXT = 12;
const LETTER = /\p{L}/u;

/**
 * Markdown for a terminal, drawn while it arrives; give it sanitised text. Every row is written once, when nothing that
 * comes can change it any more, and how the text was cut into chunks never changes what comes out.
 *
 * Blocks are told apart line by line, as CommonMark does: a paragraph flows row by row, its last row comes when the next
 * block begins; code comes line by line, a table when it is complete. That rows are final has its price: a paragraph whose first line is longer than 48 characters
 * and has no "|" near its start cannot become a table or an underlined heading any more; text under an open mark (as
 * "**") waits for its end, for 500 characters at most; link reference definitions stay text. So does HTML.
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

/** Tabs before the text as blanks up to the next of every four columns. */
function withoutTabs(line: string): string {
  const lead = /^[ \t]*/.exec(line)?.[0] ?? "";
  if (!lead.includes("\t")) return line;
  let blanks = "";
  for (const character of lead)
    blanks += character === " " ? " " : " ".repeat(4 - (blanks.length % 4));
  return blanks + line.slice(lead.length);
}
