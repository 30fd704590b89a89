import { fstatSync } from "node:fs";
import { onAbort } from "../abort.js";
import type { Io } from "./io.js";
import { decodeUtf8 } from "./utf8.js";

const NOTICE_AFTER_MS = 1000;

/**
 * Whether stdin may hold input: a pipe, a file or a socket (what a Node parent gives its child).
 * False for a terminal, /dev/null and a closed stdin.
 */
export function hasInput(io: Pick<Io, "stdin">): boolean {
  // To read `process.stdin` opens it, which takes longer than the rest.
  const { isTTY = false, fd } = io === process ? { fd: 0 } : io.stdin;
  if (isTTY) return false;
  if (fd === undefined) return true;
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}

/**
 * Reads all of stdin as text. Calls `onWaiting` once if nothing arrives within a second.
 * @throws {AgnoChatError} `INVALID_INPUT` for bytes that are not UTF-8
 */
export async function readAll(
  stdin: Io["stdin"],
  { signal, onWaiting }: ReadAllOptions,
): Promise<string> {
  const waiting = setTimeout(onWaiting, NOTICE_AFTER_MS);
  const forget = onAbort(signal, () => stdin.destroy());
  let text = "";
  try {
    for await (const piece of decodeUtf8(stdin, "stdin")) {
      clearTimeout(waiting);
      text += piece;
    }
    return text;
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    clearTimeout(waiting);
    forget();
  }
}

export interface ReadAllOptions {
  readonly signal: AbortSignal;
  readonly onWaiting: () => void;
}
