import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";

/**
 * The part of a process that the command line uses: `process` itself, or a test's own streams.
 * Signals arrive as events.
 */
export interface Io extends Pick<EventEmitter, "on" | "off" | "rawListeners"> {
  readonly stdin: Readable & { readonly isTTY?: boolean; readonly fd?: number };
  readonly stdout: Writable & TerminalStream;
  readonly stderr: Writable & TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}
