import { decodeHTMLStrict } from "entities/decode";
import type { Token } from "marked";
import { sanitise } from "../../../sanitise.js";
import type { Paint, Palette } from "../colour.js";
import { plain, type Row, type Rows, type Span } from "../wrap.js";
import { readMarks } from "./marks.js";

/** Marks a line break of the author's between spans. */
const HARD_BREAK: Span = { text: "\n", paint: plain };

/** Turns the text of one paragraph into spans, word by word. */
export interface InlineFlow {
  add(text: string): Span[];
  end(): Span[];
  /** An independent flow with the same text so far. */
  copy(): InlineFlow;
}

/** UTF-16 units. An emphasis, code or link mark not closed within these is plain text. */
const LONGEST_REACH = 500;

/**
 * A word is complete before a blank and after Chinese or Japanese punctuation. A backslash before a
 * line feed is a break only if more text follows.
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
  /** The start of an incomplete word. */
  unread: string;
  /** Words since a mark that may be open. */
  held: string;
  /** The length at which `held` is parsed again. */
  enough: number;
  /** Whether a backslash ended the previous line. */
  breakIsDue: boolean;
}

const emptyState = (): FlowState => ({ unread: "", held: "", enough: 0, breakIsDue: false });

/** How much `held` grows before it is parsed again, so that the time stays linear. */
const GROWTH = 1.25;

/**
 * Returns words as soon as no mark before them is open. `marked` parses the text held since the
 * last such point, so a literal `*` or `_` is shown as such. Text after an open mark waits for its
 * closing mark, the end of the paragraph or `LONGEST_REACH`, whichever comes first.
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

/** Adds spans to rows. */
export function setSpans(rows: Rows, spans: readonly Span[]): Row[] {
  return spans.flatMap((span) => (span === HARD_BREAK ? rows.end() : rows.add(span)));
}

export interface Style {
  readonly palette: Palette;
  readonly paint: Paint;
}

/** The tokens as spans. Keeps marks whose meaning no style shows: without colour, all of them. */
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

/** Sanitises after decoding, since an entity may be any character, even a control character. */
function decodedText(text: string, { paint }: Style): Span[] {
  const decoded = sanitise(decodeHTMLStrict(text));
  return decoded === "" ? [] : [{ text: decoded, paint }];
}

function codeSpan(raw: string, text: string, { palette, paint }: Style): Span {
  if (palette.level === 0) return { text: raw, paint };
  return { text, paint: (code) => paint(palette.cyan(code)) };
}

/** The address, which is always shown: a link's text may be misleading. */
function addressSpans(token: Token, { palette, paint }: Style): Span[] {
  const { href = "", text = "", title } = token as { href?: string; text?: string; title?: string };
  const isInText = [text, `mailto:${text}`, `http://${text}`].includes(href);
  const parts = [isInText ? "" : href, title ? JSON.stringify(title) : ""];
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
