import { closeSync, fstatSync } from "node:fs";
import { isatty } from "node:tty";

const STANDARD_STREAMS = [0, 1, 2];

/** Whether the terminal behind this descriptor can still be written to: its window may be shut, its line cut. */
export const isTerminalThere = (fd: number): boolean => isatty(fd);

/**
 * Closes the standard streams whose terminal is gone. To be called as the process exits: Node then puts the modes of its
 * terminals back and aborts when it cannot (nodejs/node#51519), and the core dump would hold the conversation. It passes
 * over what is closed.
 */
export function letGoOfGoneTerminals(): void {
  for (const fd of STANDARD_STREAMS) if (isGone(fd)) closeSync(fd);
}

function isGone(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && !isTerminalThere(fd);
  } catch {
    return false; // closed already
  }
}
