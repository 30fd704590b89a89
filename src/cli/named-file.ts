import { constants, openSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { onAbort } from "../abort.js";

/**
 * The whole of a file that the user named, such as `script.chat` or `<(…)`.
 * @throws what the system says, or the reason of the signal
 */
export async function readNamedFile(path: string, signal: AbortSignal): Promise<Buffer> {
  if (!(await stat(path)).isFIFO()) return readFile(path);
  return Buffer.concat(await (await openPipe(path, signal)).toArray());
}

/**
 * The bytes of a pipe. Node would open and read it as a file in a thread, and could not even exit
 * for as long as nobody writes.
 */
export async function openPipe(path: string, signal: AbortSignal): Promise<Socket> {
  const net = await import("node:net");
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = new net.Socket({ fd, readable: true, writable: false });
  const unfollow = onAbort(signal, () => pipe.destroy(signal.reason));
  // Whoever reads it later learns of the error then.
  return pipe.on("error", () => {}).once("close", unfollow);
}
