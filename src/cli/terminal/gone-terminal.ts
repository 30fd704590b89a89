import { closeSync, fstatSync, type Stats, statSync } from "node:fs";
import { devNull } from "node:os";
import type { Io } from "../io.js";

const STANDARD_STREAMS = [0, 1, 2];

/** False once the terminal has gone: its window was closed or its connection lost. */
export const isTerminalConnected = (fd: number): boolean =>
  // Loads the network, too, so not for a command without a terminal.
  process.getBuiltinModule("node:tty").isatty(fd);

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
    const stats = fstatSync(fd);
    return stats.isCharacterDevice() && !isNullDevice(stats) && !isTerminalConnected(fd);
  } catch {
    return false; // closed already
  }
}

const isNullDevice = ({ rdev }: Stats): boolean => rdev === statSync(devNull).rdev;
