import { sanitise } from "../../sanitise.js";
import { plainReply, type TextRenderer } from "../render/reply.js";

/** How the output of a script is formatted. */
export interface Layout {
  /** Formats the output of a command. Any text; the result is safe for a terminal. */
  readonly answer: (text: string) => string;
  /** Formats a one-line remark that is already safe. */
  readonly remark: (line: string) => string;
  /** Creates the renderer for one text of a reply. */
  readonly reply: () => TextRenderer;
}

/** Only makes the text safe. */
export const PLAIN: Layout = { answer: sanitise, remark: (line) => line, reply: plainReply };
