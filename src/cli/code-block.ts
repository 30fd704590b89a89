import { marked } from "marked";

/** The lines of the last fenced code block of a reply, also of one in a list or left open. */
export function lastCodeBlock(text: string): string | undefined {
  let last: string | undefined;
  void marked.walkTokens(marked.lexer(text), (token) => {
    if (token.type === "code" && token.codeBlockStyle !== "indented") last = `${token.text}\n`;
  });
  return last;
}
