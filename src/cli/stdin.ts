import { fstatSync } from "node:fs";
import type { Io } from "./io.js";

const NOTICE_AFTER_MS = 1000;

/**
 * Whether stdin may hold input: a pipe, a file or a socket (what a Node parent gives its child). A terminal, /dev/null
 * or a closed stdin holds none.
 */
export function hasInput({ isTTY, fd }: Io["stdin"]): boolean {
  if (isTTY) return false;
  if (fd === undefined) return true;
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}

/** All of stdin as text. Calls `onWaiting` once when nothing has come for a second. */
export async function readAll(
  stdin: Io["stdin"],
  { signal, onWaiting }: ReadAllOptions,
): Promise<string> {
  const waiting = setTimeout(onWaiting, NOTICE_AFTER_MS);
  const stop = () => stdin.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stdin) {
      clearTimeout(waiting);
      chunks.push(Buffer.from(chunk as Uint8Array | string));
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    clearTimeout(waiting);
    signal.removeEventListener("abort", stop);
  }
  return Buffer.concat(chunks).toString("utf8");
}

export interface ReadAllOptions {
  readonly signal: AbortSignal;
  readonly onWaiting: () => void;
}
