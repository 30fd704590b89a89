import { Lexer, type Token, Tokenizer, type Tokens } from "marked";
import { isWide } from "../width.js";

/** What CommonMark reads as an emphasis mark, and the text around it. */
interface PossibleMark {
  readonly run: string;
  readonly content: string;
  /** The neighbouring characters; "" at the ends of the text. */
  readonly before: string;
  readonly after: string;
}

/** Next to these characters, a star is part of a path, a pattern or a formula. */
const JOINS_BEFORE = /[/\\.,:;=+&%$#@^|*_~!?)\]}-]/;
const JOINS_AFTER = /[/\\=+&%$#@^|*_~([{-]/;
const BEGINS_NO_EMPHASIS = /^[./\\,:;)\]}|=]/;
const ENDS_NO_EMPHASIS = /[([{<=|/\\]$/;

/**
 * CommonMark reads `100*100/400*56`, `src/*.js,test/*.js` and `__init__` as emphasis, which would
 * hide the marks. Here, a mark must also enclose words; otherwise it stays as written.
 */
class MarkTokenizer extends Tokenizer {
  override emStrong(
    src: string,
    masked: string,
    before = "",
  ): Tokens.Em | Tokens.Strong | undefined {
    const token = super.emStrong(src, masked, before);
    if (token === undefined) return undefined;
    const length = token.type === "strong" ? 2 : 1;
    const mark = {
      run: src.slice(0, length),
      content: token.raw.slice(length, -length),
      before,
      after: src.charAt(token.raw.length),
    };
    return isEmphasis(mark) ? token : asText(/^(?:\*+|_+)/.exec(src)?.[0] ?? mark.run);
  }

  override del(src: string, masked: string, before?: string): Tokens.Del | undefined {
    const token = super.del(src, masked, before);
    // A single tilde is a home folder or means "about".
    return token === undefined || src.startsWith("~~") ? token : asText("~");
  }
}

function isEmphasis({ run, content, before, after }: PossibleMark): boolean {
  if (run === "__" && /^\w+$/.test(content)) return false;
  if (before === run[0] || isPartOfWord(before) || isPartOfWord(after)) return false;
  const isApart = !JOINS_BEFORE.test(before) && !JOINS_AFTER.test(after);
  if (run.length > 1) return isApart || /^[\p{L}\p{N}].*[\p{L}\p{N}.:!?)]$/su.test(content);
  return isApart && !BEGINS_NO_EMPHASIS.test(content) && !ENDS_NO_EMPHASIS.test(content);
}

/** Wide characters do not count: Chinese and Japanese have no blanks between words. */
function isPartOfWord(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character) && !isWide(character);
}

/** A text token, which `marked` accepts from any method of a tokenizer. */
function asText<T>(text: string): T {
  return { type: "text", raw: text, text } as T;
}

const options = { gfm: true, tokenizer: new MarkTokenizer() };

/** Parses the inline marks of one paragraph, heading or cell. */
export function readMarks(text: string): Token[] {
  return new Lexer({ ...options }).inlineTokens(text);
}
