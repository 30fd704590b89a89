import { AgnoChatError } from "../errors.js";

/**
 * Decodes UTF-8, piece by piece as the bytes arrive, without the byte order mark.
 * @param what Names the source at the start of an error message.
 * @throws {AgnoChatError} `INVALID_INPUT` for bytes that are not UTF-8; they are never replaced
 */
export async function* decodeUtf8(
  chunks: AsyncIterable<Uint8Array | string>,
  what: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let beginning = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (beginning.length < 2) beginning = Buffer.concat([beginning, bytes.subarray(0, 2)]);
    if (isUtf16(beginning)) throw notUtf8(`${what} is UTF-16, not UTF-8.`, "UTF-16");
    yield decoded(() => decoder.decode(bytes, { stream: true }), what);
  }
  yield decoded(() => decoder.decode(), what);
}

/** Detected by its byte order mark, or by one zero among the first two bytes. */
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
