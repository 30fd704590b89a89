import { sanitise } from "../../sanitise.js";
import { plainReply, type TextRenderer } from "../render/reply.js";

/** How a script sets what it shows. */
export interface Layout {
  /** Any text a command answers, made safe. */
  readonly answer: (text: string) => string;
  /** One line beside the answers that is safe already. */
  readonly remark: (line: string) => string;
  /** For one text of a reply. */
  readonly reply: () => TextRenderer;
}

/** As it comes, only made safe: for whoever reads the answers alone. */
export const PLAIN: Layout = { answer: sanitise, remark: (line) => line, reply: plainReply };
