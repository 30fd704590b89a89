import { AgnoChatError } from "../errors.js";

/**
 * Bytes as the UTF-8 text they are, each piece as soon as it is there. A byte order mark is no text.
 * @param what Whose bytes they are, as a message begins with it.
 * @throws {AgnoChatError} `INVALID_INPUT` for bytes that are not UTF-8: a text is refused or taken as it is, never changed
 */
export async function* utf8Of(
  chunks: AsyncIterable<Uint8Array | string>,
  what: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let beginning = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (beginning.length < 2) beginning = Buffer.concat([beginning, bytes.subarray(0, 2)]);
    if (isUtf16(beginning)) throw notUtf8(`${what} is UTF-16 and not UTF-8.`, "UTF-16");
    yield decoded(() => decoder.decode(bytes, { stream: true }), what);
  }
  yield decoded(() => decoder.decode(), what);
}

/** By its byte order mark, or by a first letter that is half a zero. */
function isUtf16([first, second]: Uint8Array): boolean {
  if (first === 0xff) return second === undefined || second === 0xfe;
  if (first === 0xfe) return second === undefined || second === 0xff;
  return second !== undefined && (first === 0) !== (second === 0);
}

function decoded(decode: () => string, what: string): string {
  try {
    return decode();
  } catch (cause) {
    throw notUtf8(`${what} is not UTF-8 text.`, "LATIN1", cause);
  }
}

const notUtf8 = (message: string, from: string, cause?: unknown): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", message, {
    hint: `Save it as UTF-8, or convert it, for example with iconv -f ${from} -t UTF-8.`,
    cause,
  });
