import { closeSync, fstatSync } from "node:fs";
import { isatty } from "node:tty";
import type { Io } from "../io.js";

const STANDARD_STREAMS = [0, 1, 2];

/** False once the terminal has gone: its window was closed or its connection lost. */
export const isTerminalConnected = (fd: number): boolean => isatty(fd);

/**
 * Whether the terminal that was read from has gone. The end of its input may come before its
 * signal. Opens no stdin for it, which costs time.
 */
export const hasHungUp = (io: Pick<Io, "stdin">): boolean =>
  isGone(0) && io.stdin.isTTY === true && io.stdin.fd === 0;

/**
 * Closes the standard streams whose terminal has gone. Call it as the process exits: Node then
 * restores its terminals' modes, skipping closed streams, and aborts if that fails
 * (nodejs/node#51519). The core dump would contain the conversation.
 */
export function closeGoneTerminals(): void {
  for (const fd of STANDARD_STREAMS) if (isGone(fd)) closeSync(fd);
}

function isGone(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && !isTerminalConnected(fd);
  } catch {
    return false; // closed already
  }
}
