import { Lexer, type Token, Tokenizer, type Tokens } from "marked";
import { isWide } from "../width.js";

/** A mark that could be one by CommonMark, where it stands in the text. */
interface PossibleMark {
  readonly run: string;
  readonly content: string;
  /** The characters outside, "" at the ends of the text. */
  readonly before: string;
  readonly after: string;
}

/** Beside these a star belongs to a path, a pattern or a sum. */
const JOINS_BEFORE = /[/\\.,:;=+&%$#@^|*_~!?)\]}-]/;
const JOINS_AFTER = /[/\\=+&%$#@^|*_~([{-]/;
const BEGINS_NO_EMPHASIS = /^[./\\,:;)\]}|=]/;
const ENDS_NO_EMPHASIS = /[([{<=|/\\]$/;

/**
 * CommonMark reads `100*100/400*56`, `src/*.js,test/*.js` and `__init__` as emphasis, and a reader would lose the marks.
 * So a mark also has to stand around words: anything else is text as it was written.
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
    // One tilde is a home folder or "about".
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

/** Chinese and Japanese put no blanks between words. */
function isPartOfWord(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character) && !isWide(character);
}

/** `marked` takes any token from its tokenizer. */
function asText<T>(text: string): T {
  return { type: "text", raw: text, text } as T;
}

const options = { gfm: true, tokenizer: new MarkTokenizer() };

/** What is marked in the text of one paragraph, heading or cell. */
export function readMarks(text: string): Token[] {
  return new Lexer({ ...options }).inlineTokens(text);
}
