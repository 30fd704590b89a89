import { decodeHTMLStrict } from "entities/decode";
import type { Token } from "marked";
import { sanitise } from "../../../sanitise.js";
import type { Paint, Palette } from "../colour.js";
import { plain, type Row, type Rows, type Span } from "../wrap.js";
import { readMarks } from "./marks.js";

/** Stands between spans where the author broke the line. */
const HARD_BREAK: Span = { text: "\n", paint: plain };

/** The text of one paragraph, turned into spans word by word. */
export interface InlineFlow {
  add(text: string): Span[];
  end(): Span[];
  /** The same text so far, to go on with apart from this one. */
  copy(): InlineFlow;
}

/** How far a mark (emphasis, code, link) may reach before it counts as plain text, in UTF-16 units. */
const LONGEST_REACH = 500;

/**
 * A word is known when a blank, or a mark that ends one in Chinese and Japanese, has come; a backslash before a line feed
 * means a break only when more follows.
 */
const WORD = new RegExp(
  [
    `\\s{0,${LONGEST_REACH}}\\S{1,${LONGEST_REACH}}?[。，、；：！？]`,
    `\\s{0,${LONGEST_REACH}}\\S{1,${LONGEST_REACH}}(?=\\s)(?<!\\\\(?=\\n\\s*$))`,
    `\\s{0,${LONGEST_REACH}}\\S{${LONGEST_REACH}}`,
    `\\s{${LONGEST_REACH}}`,
  ].join("|"),
  "uy",
);
const BACKSLASH_BREAK = /(?<!\\)(?:\\\\)*\\$/;
const MAY_BE_MARKUP = /[*_~`[\]<\\@&]|:\/\/|www\./;
const MAY_CLOSE = /[^\s*_~][*_~]|[`)\]]/;
const STILL_OPEN = /`|\[[^\]]*$|\]\([^)]*$|\*(?=\S)|(?<!\w)_(?=\S)|~~(?=\S)/;

interface FlowState {
  /** No whole word yet. */
  unread: string;
  /** Words under a mark that may be open. */
  held: string;
  /** How long `held` must be to be looked at again. */
  enough: number;
  /** A backslash ended the line before. */
  breakIsDue: boolean;
}

const emptyState = (): FlowState => ({ unread: "", held: "", enough: 0, breakIsDue: false });

/** By how much `held` grows between two looks, so that the work stays in proportion to the text. */
const GROWTH = 1.25;

/**
 * Gives words as soon as no mark before them is open: `marked` reads what was held back since the last such point, so a
 * literal `*` or `_` comes out right, and text under an open mark waits for its end, for the paragraph's end or for
 * `LONGEST_REACH`, whichever is first.
 */
export function createInlineFlow(style: Style, from: FlowState = emptyState()): InlineFlow {
  const read = from;

  function take(word: string): Span[] {
    if (read.held === "" && !MAY_BE_MARKUP.test(word)) return plainWord(word, style.paint);
    const mayBeSettled = read.held === "" || MAY_CLOSE.test(word);
    read.held += word;
    const isLong = read.held.length >= LONGEST_REACH;
    if (!isLong && (!mayBeSettled || read.held.length < read.enough)) return [];
    const tokens = readMarks(read.held.trimStart());
    if (isLong || !isOpen(tokens)) return release(tokens);
    read.enough = read.held.length * GROWTH;
    return [];
  }

  function release(tokens: readonly Token[]): Span[] {
    const lead = read.held.slice(0, read.held.length - read.held.trimStart().length);
    read.held = "";
    read.enough = 0;
    return [...plainWord(lead, style.paint), ...spansOf(tokens, style)];
  }

  return {
    add(text) {
      const unread = read.unread + text;
      const spans: Span[] = [];
      let from = 0;
      for (let word = wordAt(unread, from); word !== ""; word = wordAt(unread, from)) {
        from += word.length;
        const breaksAfter = unread[from] === "\n" && BACKSLASH_BREAK.test(word);
        const source = (read.breakIsDue ? "  " : "") + (breaksAfter ? word.slice(0, -1) : word);
        read.breakIsDue = breaksAfter;
        spans.push(...take(source));
      }
      read.unread = unread.slice(from);
      return spans;
    },
    end() {
      read.held += read.unread.trimEnd();
      read.unread = "";
      return release(readMarks(read.held.trimStart()));
    },
    copy: () => createInlineFlow(style, { ...read }),
  };
}

/** Sets spans in rows. */
export function setSpans(rows: Rows, spans: readonly Span[]): Row[] {
  return spans.flatMap((span) => (span === HARD_BREAK ? rows.end() : rows.add(span)));
}

export interface Style {
  readonly palette: Palette;
  readonly paint: Paint;
}

/** Marked text as spans. What cannot be shown as a style keeps its marks: without colour, all of them. */
function spansOf(tokens: readonly Token[], style: Style): Span[] {
  return tokens.flatMap((token) => spansOfToken(token, style));
}

function spansOfToken(token: Token, style: Style): Span[] {
  const { palette } = style;
  switch (token.type) {
    case "strong":
      return marked(token, { mark: token.raw.slice(0, 2), paint: palette.bold, style });
    case "em":
      return marked(token, { mark: token.raw.slice(0, 1), paint: palette.italic, style });
    case "del":
      return marked(token, { mark: "~~", paint: palette.strikethrough, style });
    case "codespan":
      return [codeSpan(token.raw, token.text, style)];
    case "link":
      return [
        ...childSpans(token, { ...style, more: palette.underline }),
        ...addressSpans(token, style),
      ];
    case "image":
      return [...decodedText(token.text, style), ...addressSpans(token, style)];
    case "br":
      return [HARD_BREAK];
    case "html":
      return /^<br *\/?>$/i.test(token.raw)
        ? [HARD_BREAK]
        : [{ text: token.raw, paint: style.paint }];
    case "escape":
      return [{ text: token.text, paint: style.paint }];
    default:
      return decodedText(token.raw, style);
  }
}

function childSpans(token: Token, { palette, paint, more }: Style & { more: Paint }): Span[] {
  const tokens = ("tokens" in token && token.tokens) || [];
  return spansOf(tokens, { palette, paint: (text) => paint(more(text)) });
}

interface MarkOptions {
  readonly mark: string;
  readonly paint: Paint;
  readonly style: Style;
}

function marked(token: Token, { mark, paint, style }: MarkOptions): Span[] {
  const spans = childSpans(token, { ...style, more: paint });
  if (style.palette.level > 0) return spans;
  const shown = { text: mark, paint: style.paint };
  return [shown, ...spans, shown];
}

/** Entities are decoded here, and may be anything: also what a terminal acts on. */
function decodedText(text: string, { paint }: Style): Span[] {
  const decoded = sanitise(decodeHTMLStrict(text));
  return decoded === "" ? [] : [{ text: decoded, paint }];
}

function codeSpan(raw: string, text: string, { palette, paint }: Style): Span {
  if (palette.level === 0) return { text: raw, paint };
  return { text, paint: (code) => paint(palette.cyan(code)) };
}

/** The address in plain sight: a link's text may claim anything. */
function addressSpans(token: Token, { palette, paint }: Style): Span[] {
  const { href = "", text = "", title } = token as { href?: string; text?: string; title?: string };
  const isSaid = [text, `mailto:${text}`, `http://${text}`].includes(href);
  const parts = [isSaid ? "" : href, title ? JSON.stringify(title) : ""];
  const shown = parts.filter((part) => part !== "").join(" ");
  if (shown === "") return [];
  const style = { palette, paint: (url: string) => paint(palette.dim(url)) };
  return decodedText(text === "" ? shown : ` (${shown})`, style);
}

function plainWord(word: string, paint: Paint): Span[] {
  if (word === "") return [];
  return /^[ \t]{2,}\n/.test(word)
    ? [HARD_BREAK, { text: word.trimStart(), paint }]
    : [{ text: word, paint }];
}

function isOpen(tokens: readonly Token[]): boolean {
  return STILL_OPEN.test(tokens.map((token) => (token.type === "text" ? token.raw : "x")).join(""));
}

function wordAt(text: string, index: number): string {
  WORD.lastIndex = index;
  return WORD.exec(text)?.[0] ?? "";
}
