import { utf8Of } from "../utf8.js";

/**
 * The lines of a stream of text, each as soon as it is there; the last one may lack its line end.
 * @throws {AgnoChatError} `INVALID_INPUT` for bytes that are no UTF-8 text
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  let line = "";
  for await (const text of utf8Of(chunks, "The script"))
    for (const [index, piece] of text.split("\n").entries()) {
      if (index > 0) {
        yield withoutReturn(line);
        line = "";
      }
      line += piece;
    }
  if (line !== "") yield withoutReturn(line);
}

const withoutReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
