import { closeSync, constants, openSync, readSync } from "node:fs";

const SIZE = 4096;

/**
 * What was typed on the terminal of this process before it was put into raw mode, as if it had been typed after: in its own
 * modes a terminal turns Enter into a line feed, which is Ctrl-J in raw mode. To be read right after that.
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
      const piece = Buffer.alloc(SIZE);
      const length = readSync(fd, piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } catch {
    // EAGAIN: that was all. Anything else: there is no such terminal, and the stream will read what there is.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
