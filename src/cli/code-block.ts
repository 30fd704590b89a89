/** The lines of the last fenced code block of a reply, also of one in a list or left open. */
export async function lastCodeBlock(text: string): Promise<string | undefined> {
  const { marked } = await import("marked");
  let last: string | undefined;
  marked.walkTokens(marked.lexer(text), (token) => {
    if (token.type === "code" && token.codeBlockStyle !== "indented") last = `${token.text}\n`;
  });
  return last;
}
