import { singleLine } from "../sanitise.js";

/**
 * Code points. Enough for two ids of 255 and the words around them, but not for a page of text from
 * a server, which would push the conversation off the screen.
 */
const LONGEST_NOTE = 1000;

/** A remark, failure or question on one safe line. Ends with "…" if it had to be cut. */
export const noteLine = (text: string): string => singleLine(text, LONGEST_NOTE);

/** Someone else's text inside such a line, cut so that the words after it always fit. */
export const quoteInNote = (text: string): string => singleLine(text, LONGEST_NOTE / 2);
