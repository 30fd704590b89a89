import { decodeUtf8 } from "../utf8.js";

/**
 * Splits a stream into lines, each as soon as it is complete. The last one may lack its line end.
 * @throws {AgnoChatError} `INVALID_INPUT` for bytes that are not UTF-8
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  let line = "";
  for await (const text of decodeUtf8(chunks, "The script"))
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
