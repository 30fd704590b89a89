import { asAgnoChatError, ERROR_TABLE } from "../errors.js";
import type { Context } from "./command-context.js";
import { Output } from "./output.js";
import { Progress } from "./progress.js";

/**
 * Writes safe text to stdout piece by piece, and waits while the reader is slow. Resolves to the
 * exit code. A failure after part of a JSON document is out goes to stderr, not into a second
 * document.
 * @param progress Says how far it is, unless the text itself is seen on the terminal.
 */
export async function writePieces(
  context: Context,
  texts: AsyncIterable<string>,
  progress: () => string,
): Promise<number> {
  const { io, options, output, signal } = context;
  let hasBegun = false;
  async function* begun(): AsyncGenerator<string> {
    for await (const text of texts) {
      hasBegun = true;
      yield text;
    }
  }
  try {
    const pieces = io.stdout.isTTY ? begun() : new Progress(context).along(begun(), progress);
    await output.pieces(pieces, signal);
    return 0;
  } catch (thrown) {
    if (!options.json || !hasBegun) throw thrown;
    const error = asAgnoChatError(thrown);
    new Output(io, { ...options, json: false }).failure(error);
    return ERROR_TABLE[error.code].exit;
  }
}
