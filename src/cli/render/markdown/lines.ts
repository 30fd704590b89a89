/**
 * A block that contains others: a quote or a list item. The marker and the text of an item begin at
 * the columns `start` and `indent`, counted from the innermost quote.
 */
export type Container =
  | { readonly kind: "quote" }
  | {
      readonly kind: "item";
      readonly marker: string;
      readonly start: number;
      readonly indent: number;
    };

/** The open block of text. "held": a first line that may still begin a table or be a heading. */
export type Leaf = "none" | "held" | "paragraph" | "fence" | "indented" | "table";

export type LineKind = "blank" | "verbatim" | "heading" | "rule" | "fence" | "indented" | "text";

/** What a line means for the open blocks, as in CommonMark's first phase. */
export interface LinePlan {
  /** How many of the open containers continue. */
  readonly matched: number;
  /** The containers the line opens inside those. */
  readonly opened: readonly Container[];
  /** The index at which the containers' marks end. */
  readonly at: number;
  readonly kind: LineKind;
}

const DEEPEST = 16;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-+*]|\d{1,9}[.)])( +|$)/;
const FENCE = /^ {0,3}(?:`{3,}[^`]*|~{3,}.*)$/;
const HEADING = /^ {0,3}#{1,6}(?: |$)/;

/** Classifies a line without leading tabs. Linear in its length. */
export function planLine(
  line: string,
  { containers, leaf }: { readonly containers: readonly Container[]; readonly leaf: Leaf },
): LinePlan {
  let at = 0;
  let origin = 0;
  let matched = 0;
  for (const container of containers) {
    const length = lengthOfContinuation(container, { rest: line.slice(at), column: at - origin });
    if (length === undefined) break;
    at += length;
    if (container.kind === "quote") origin = at;
    matched += 1;
  }
  const allMatched = matched === containers.length;
  if (allMatched && leaf === "fence") return { matched, opened: [], at, kind: "verbatim" };

  const inText = leaf === "held" || leaf === "paragraph";
  const opened: Container[] = [];
  while (matched + opened.length < DEEPEST) {
    const interrupts = inText && allMatched && opened.length === 0;
    const position = { rest: line.slice(at), column: at - origin };
    const container = startOfContainer(position, interrupts);
    if (container === undefined) break;
    opened.push(container.opened);
    at += container.length;
    if (container.opened.kind === "quote") origin = at;
  }
  const mayBeIndented = !inText || opened.length > 0;
  return { matched, opened, at, kind: kindOfLine(line.slice(at), mayBeIndented) };
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

export function indentOf(text: string): number {
  return text.length - text.replace(/^ +/, "").length;
}

/** The rest of a line and its first column. */
interface LinePosition {
  readonly rest: string;
  readonly column: number;
}

function lengthOfContinuation(
  container: Container,
  { rest, column }: LinePosition,
): number | undefined {
  if (container.kind === "quote") return QUOTE.exec(rest)?.[0].length;
  if (isBlank(rest)) return 0;
  const indent = indentOf(rest);
  if (column + indent >= container.indent) return Math.max(0, container.indent - column);
  // Models often indent a list under "1." by two blanks, where CommonMark requires three.
  const isNested = column + indent >= container.start + 2 && ITEM.test(rest.slice(indent));
  return isNested ? indent : undefined;
}

function startOfContainer(
  { rest, column }: LinePosition,
  interrupts: boolean,
): { opened: Container; length: number } | undefined {
  const quote = QUOTE.exec(rest);
  if (quote !== null) return { opened: { kind: "quote" }, length: quote[0].length };
  const item = isRule(rest) ? null : ITEM.exec(rest);
  if (item === null) return undefined;
  const [all, lead = "", marker = "", gap = ""] = item;
  const isEmpty = all.length === rest.length;
  if (interrupts && (isEmpty || !/^(?:\D|1[.)])/.test(marker))) return undefined;
  const length = lead.length + marker.length + (isEmpty || gap.length > 4 ? 1 : gap.length);
  const [start, indent] = [column + lead.length, column + length];
  return {
    opened: { kind: "item", marker, start, indent },
    length: Math.min(length, rest.length),
  };
}

function kindOfLine(rest: string, mayBeIndented: boolean): LineKind {
  if (isBlank(rest)) return "blank";
  if (indentOf(rest) >= 4) return mayBeIndented ? "indented" : "text";
  if (FENCE.test(rest)) return "fence";
  if (HEADING.test(rest)) return "heading";
  return isRule(rest) ? "rule" : "text";
}

function isRule(rest: string): boolean {
  return indentOf(rest) < 4 && /^(?:\*{3,}|-{3,}|_{3,})$/.test(rest.replaceAll(" ", ""));
}
