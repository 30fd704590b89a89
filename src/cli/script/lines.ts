import { AgnoChatError } from "../../errors.js";

/**
 * The lines of a stream of text, each as soon as it is there; the last one may lack its line end.
 * @throws {AgnoChatError} `INVALID_INPUT` for bytes that are no UTF-8 text
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  let line = "";
  for await (const text of textOf(chunks))
    for (const [index, piece] of text.split("\n").entries()) {
      if (index > 0) {
        yield withoutReturn(line);
        line = "";
      }
      line += piece;
    }
  if (line !== "") yield withoutReturn(line);
}

/** A byte order mark is no text. */
async function* textOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks)
    yield typeof chunk === "string" ? chunk : decoded(() => decoder.decode(chunk, STREAM));
  yield decoded(() => decoder.decode());
}

const STREAM = { stream: true };

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw new AgnoChatError("INVALID_INPUT", "The script is not UTF-8 text.", {
      hint: "Save it as UTF-8.",
      cause,
    });
  }
}

const withoutReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
