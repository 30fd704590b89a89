import type { TerminalStream } from "../io.js";

/** Of a terminal that tells no size, or 0 as some containers do, as many as those of old. */
export const columnsOf = ({ columns }: TerminalStream): number => columns || 80;

export const rowsOf = ({ rows }: TerminalStream): number => rows || 24;
