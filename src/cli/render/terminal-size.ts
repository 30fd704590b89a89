import type { TerminalStream } from "../io.js";

/** 80 by 24 if the terminal reports no size, or 0, as in some containers. */
export const columnsOf = ({ columns }: TerminalStream): number => columns || 80;

export const rowsOf = ({ rows }: TerminalStream): number => rows || 24;
