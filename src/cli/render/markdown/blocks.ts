import type { Palette } from "../colour.js";
import type { Row } from "../wrap.js";
import { createFrame, type Frame } from "./frame.js";
import {
  type Block,
  type Canvas,
  createCode,
  createParagraph,
  createTable,
  renderHeading,
  renderRule,
} from "./leaves.js";
import { indentOf, type Leaf, type LinePlan, planLine } from "./lines.js";
import { startsTable } from "./table.js";

export interface BlocksOptions {
  readonly width: () => number;
  readonly palette: Palette;
  readonly indent: string;
}

/** Renders the blocks of a text as its lines arrive. */
export interface Blocks {
  /** Classifies a line by its beginning, in the current position. */
  plan(line: string): LinePlan;
  /** Ends the open block if a line with this `start`, which contains a letter, must end it. */
  begin(start: string): Row[];
  /** Adds a whole line, without its line feed. */
  line(line: string): Row[];
  /** Begins or continues a paragraph with a line whose parts follow in calls of `text`. */
  beginText(plan: LinePlan): Row[];
  text(part: string): Row[];
  end(): Row[];
  /** Independent blocks with the same text so far. */
  copy(): Blocks;
}

/** The state within a text. */
interface BlocksState {
  readonly frame: Frame;
  readonly leaf: Leaf;
  readonly block: Block | undefined;
  readonly heldLine: string;
  readonly fence: string;
  readonly hasOutput: boolean;
  readonly blankIsDue: boolean;
}

const start = (options: BlocksOptions): BlocksState => ({
  frame: createFrame(options),
  leaf: "none",
  block: undefined,
  heldLine: "",
  fence: "",
  hasOutput: false,
  blankIsDue: false,
});

export function createBlocks(options: BlocksOptions, from = start(options)): Blocks {
  const { width, palette } = options;
  const { frame } = from;
  const canvas: Canvas = { palette, width, prefix: frame.prefix };
  let { leaf, heldLine, fence, hasOutput, blankIsDue } = from;
  let block = from.block?.copy(canvas);

  function plan(line: string): LinePlan {
    return planLine(line, { containers: frame.containers, leaf });
  }

  /** The rows of a new block, after an empty row if the source has one. */
  function drawn(draw: () => Row[]): Row[] {
    const space = blankIsDue ? [frame.blankRow()] : [];
    blankIsDue = false;
    hasOutput = true;
    return [...space, ...draw()];
  }

  function open(kind: Leaf, opened: Block): Row[] {
    leaf = kind;
    block = opened;
    return drawn(() => []);
  }

  function close(): Row[] {
    const held = leaf === "held" ? openHeld() : [];
    const rows = [...held, ...(block?.end() ?? [])];
    leaf = "none";
    block = undefined;
    return rows;
  }

  /** Begins a paragraph with the held line. */
  function openHeld(): Row[] {
    return [...open("paragraph", createParagraph(canvas)), ...add(`${heldLine}\n`)];
  }

  function add(text: string): Row[] {
    return block?.add(text) ?? [];
  }

  function enter({ matched, opened }: LinePlan): Row[] {
    const rows = close();
    const emptyItems = frame.change(matched, opened);
    return emptyItems.length === 0 ? rows : [...rows, ...drawn(() => emptyItems)];
  }

  /** Whether a line continues the open block, including CommonMark's lazy continuation. */
  function continues({ matched, opened, kind }: LinePlan): boolean {
    if (opened.length > 0) return false;
    if (leaf === "held" || leaf === "paragraph") return kind === "text";
    if (matched < frame.containers.length) return false;
    return (leaf === "table" && kind === "text") || (leaf === "indented" && kind === "indented");
  }

  function continueWith(text: string, isInPlace: boolean): Row[] {
    if (leaf === "table") return add(text);
    if (leaf === "indented") return add(text.slice(4));
    if (leaf === "paragraph") return add(`${text}\n`);
    if (isInPlace && startsTable(heldLine, text)) {
      return [...open("table", createTable(canvas)), ...add(heldLine), ...add(text)];
    }
    return [...openHeld(), ...add(`${text}\n`)];
  }

  function verbatim(text: string): Row[] {
    const mark = /^ {0,3}(`{3,}|~{3,}) *$/.exec(text)?.[1];
    return mark?.startsWith(fence) ? close() : add(text);
  }

  function heading(line: string): Row[] {
    return drawn(() => renderHeading(line, canvas));
  }

  function openFence(text: string): Row[] {
    const [, mark = "", info = ""] = /^ *(`+|~+)(.*)$/.exec(text) ?? [];
    fence = mark;
    const code = createCode(canvas, { label: info.trim(), indent: indentOf(text) });
    return open("fence", code);
  }

  function openIndented(text: string): Row[] {
    const code = createCode(canvas, { label: "", indent: 0 });
    return [...open("indented", code), ...add(text.slice(4))];
  }

  function openBlock(kind: LinePlan["kind"], text: string): Row[] {
    if (kind === "heading") return heading(text);
    if (kind === "rule") return drawn(() => [renderRule(canvas)]);
    if (kind === "fence") return openFence(text);
    if (kind === "indented") return openIndented(text);
    leaf = "held";
    heldLine = text;
    return [];
  }

  return {
    plan,
    begin(start) {
      return plan(start).opened.length > 0 ? close() : [];
    },
    line(line) {
      const planned = plan(line);
      const text = line.slice(planned.at);
      const isInPlace = planned.matched === frame.containers.length && planned.opened.length === 0;
      if (planned.kind === "verbatim") return verbatim(text);
      if (leaf === "held" && isInPlace && /^ {0,3}(?:=+|-{2,}) *$/.test(text)) {
        leaf = "none";
        return heading(`${text.includes("=") ? "#" : "##"} ${heldLine.trim()}`);
      }
      if (continues(planned)) return continueWith(text, isInPlace);
      const rows = enter(planned);
      if (planned.kind !== "blank") return [...rows, ...openBlock(planned.kind, text)];
      if (planned.opened.length === 0) blankIsDue = hasOutput;
      return rows;
    },
    beginText(planned) {
      if (continues(planned)) return leaf === "held" ? openHeld() : [];
      return [...enter(planned), ...open("paragraph", createParagraph(canvas))];
    },
    text: add,
    end() {
      return enter({ matched: 0, opened: [], at: 0, kind: "blank" });
    },
    copy() {
      const state = { frame: frame.copy(), leaf, block, heldLine, fence, hasOutput, blankIsDue };
      return createBlocks(options, state);
    },
  };
}
