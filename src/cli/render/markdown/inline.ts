import { Lexer, type Token } from "marked";
import type { Paint, Palette } from "../colour.js";
import { plain, type Row, type Rows, type Span } from "../wrap.js";

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
const MAY_BE_MARKUP = /[*_~`[\]<\\@]|:\/\/|www\./;
const MAY_CLOSE = /[^\s*_~][*_~]|[`)\]]/;
const STILL_OPEN = /`|\[[^\]]*$|\]\([^)]*$|\*(?=\S)|(?<!\w)_(?=\S)|~~(?=\S)/;

interface Reading {
  /** No whole word yet. */
  unread: string;
  /** Words under a mark that may be open. */
  held: string;
  /** A backslash ended the line before. */
  breakIsDue: boolean;
}

const nothingRead = (): Reading => ({ unread: "", held: "", breakIsDue: false });

/**
 * Gives words as soon as no mark before them is open: `marked` reads what was held back since the last such point, so a
 * literal `*` or `_` comes out right, and text under an open mark waits for its end, for the paragraph's end or for
 * `LONGEST_REACH`, whichever is first.
 */
export function createInlineFlow(style: Style, from: Reading = nothingRead()): InlineFlow {
  const read = from;

  function take(word: string): Span[] {
    if (read.held === "" && !MAY_BE_MARKUP.test(word)) return plainWord(word, style.paint);
    const mayBeSettled = read.held === "" || MAY_CLOSE.test(word);
    read.held += word;
    if (read.held.length < LONGEST_REACH && !mayBeSettled) return [];
    const tokens = Lexer.lexInline(read.held.trimStart());
    if (read.held.length < LONGEST_REACH && isOpen(tokens)) return [];
    return release(tokens);
  }

  function release(tokens: readonly Token[]): Span[] {
    const lead = read.held.slice(0, read.held.length - read.held.trimStart().length);
    read.held = "";
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
      return release(Lexer.lexInline(read.held.trimStart()));
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

/** Inline tokens as spans. Without colour, code and struck text keep their marks, since their meaning hangs on them. */
export function spansOf(tokens: readonly Token[], style: Style): Span[] {
  return tokens.flatMap((token) => spansOfToken(token, style));
}

function spansOfToken(token: Token, { palette, paint }: Style): Span[] {
  const within = (more: Paint) =>
    spansOf(("tokens" in token && token.tokens) || [], {
      palette,
      paint: (text) => paint(more(text)),
    });
  switch (token.type) {
    case "strong":
      return within(palette.bold);
    case "em":
      return within(palette.italic);
    case "del":
      return palette.level === 0 ? [{ text: token.raw, paint }] : within(palette.strikethrough);
    case "codespan":
      return [codeSpan(token.raw, token.text, { palette, paint })];
    case "link":
      return [...within(palette.underline), ...address(token.href, token.text, { palette, paint })];
    case "image":
      return [{ text: token.text, paint }, ...address(token.href, token.text, { palette, paint })];
    case "br":
      return [HARD_BREAK];
    case "html":
      return /^<br *\/?>$/i.test(token.raw) ? [HARD_BREAK] : [{ text: token.raw, paint }];
    case "escape":
      return [{ text: token.text, paint }];
    default:
      return [{ text: token.raw, paint }];
  }
}

function codeSpan(raw: string, text: string, { palette, paint }: Style): Span {
  if (palette.level === 0) return { text: raw, paint };
  return { text, paint: (code) => paint(palette.cyan(code)) };
}

/** The address in plain sight: a link's text may claim anything. */
function address(href: string, text: string, { palette, paint }: Style): Span[] {
  if (href === text || href === `mailto:${text}`) return [];
  return [{ text: text === "" ? href : ` (${href})`, paint: (url) => paint(palette.dim(url)) }];
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
