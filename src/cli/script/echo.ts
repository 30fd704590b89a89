import { sanitise } from "../../sanitise.js";
import { promptOf } from "../chat/prompt.js";
import type { Speaker } from "../chat/screen.js";
import type { Context } from "../command-context.js";
import type { Io } from "../io.js";
import { createPalette, type Palette } from "../render/colour.js";
import { markdownReply } from "../render/markdown-reply.js";
import { plainReply, type TextRenderer } from "../render/reply.js";
import { columnsOf } from "../render/terminal-size.js";
import { wrapText } from "../render/wrap.js";
import type { Layout } from "./layout.js";
import type { Statement } from "./statements.js";

/** Indents everything but the script's own lines, so that no reply can look like a prompt. */
const INDENT = "  ";

/** Shows a script as a chat: comments as headings, inputs after a prompt, answers indented. */
export interface Echo {
  readonly layout: Layout;
  /** Shows a statement of the active user. */
  readonly show: (statement: Statement, speaker: Speaker) => void;
}

export function createEcho({ io, options, output }: Context): Echo {
  const paletteOf = (stream: Io["stdout"]) =>
    createPalette(stream, { env: io.env, colorFlag: options.color });
  const palette = paletteOf(io.stdout);
  const remarks = paletteOf(io.stderr);
  let lastComment = 0;
  return {
    layout: {
      ...(io.stdout.isTTY ? terminalLayout(io.stdout, palette) : PIPED),
      remark: (line) => remarks.dim(INDENT + line),
    },
    show(statement, speaker) {
      if (statement.kind === "comment") {
        const gap = statement.line === lastComment + 1 ? "" : "\n";
        output.writeSafe(`${gap}${palette.dim(`# ${sanitise(statement.text)}`)}\n`);
        lastComment = statement.line;
      } else if (statement.kind === "input") {
        const text = sanitise(statement.text).replaceAll("\n", `\n${CONTINUATION}`);
        output.writeSafe(`${promptOf(speaker, palette)}${text}\n`);
      }
    },
  };
}

type Texts = Pick<Layout, "answer" | "reply">;

const PIPED: Texts = { answer: (text) => indentation()(sanitise(text)), reply: indentedReply };

/** Like the REPL: wrapped, with replies rendered as Markdown. */
function terminalLayout(stdout: Io["stdout"], palette: Palette): Texts {
  const width = () => columnsOf(stdout);
  return {
    answer: (text) => wrapText(sanitise(text).trimEnd(), { width: width(), indent: INDENT }),
    reply: () => markdownReply({ width, palette, indent: INDENT }),
  };
}

/** The prompt of further lines, as in the REPL. */
const CONTINUATION = "… ";

function indentedReply(): TextRenderer {
  const safe = plainReply();
  const indent = indentation();
  return { write: (chunk) => indent(safe.write(chunk)), end: () => indent(safe.end()) };
}

/** Indents every non-empty row of a text that arrives in pieces. */
function indentation(): (piece: string) => string {
  let isRowStart = true;
  return (piece) => {
    if (piece === "") return "";
    const first = isRowStart && !piece.startsWith("\n") ? INDENT : "";
    isRowStart = piece.endsWith("\n");
    return first + piece.replace(/\n(?=[^\n])/g, `\n${INDENT}`);
  };
}
