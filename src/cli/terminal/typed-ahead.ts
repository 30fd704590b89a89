import { closeSync, constants, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 4096;

/**
 * The input typed on this process's terminal before raw mode, as raw mode would have sent it:
 * before, the terminal turned Enter into a line feed, which raw mode reads as Ctrl-J. Call it right
 * after entering raw mode.
 */
export function typedAhead(): Buffer {
  const typed = Buffer.concat([...waiting()]);
  return Buffer.from(typed.map((byte) => (byte === 0x0a ? 0x0d : byte)));
}

function* waiting(): Generator<Buffer> {
  let fd: number | undefined;
  try {
    fd = openSync("/dev/tty", constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    for (;;) {
      const piece = Buffer.alloc(CHUNK_BYTES);
      const length = readSync(fd, piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } catch {
    // EAGAIN: there is no more. Other errors: no such terminal, so the stream reads the input.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
