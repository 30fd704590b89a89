import type { Context } from "../command-context.js";
import { createPalette } from "../render/colour.js";
import { LiveOutput } from "../render/live-output.js";
import { liveText } from "../render/live-text.js";
import { markdownReply } from "../render/markdown-reply.js";
import { RunView } from "../render/run-view.js";
import { createSpinner } from "../render/spinner.js";
import { columnsOf } from "../render/terminal-size.js";
import type { AnswerView } from "./answer-view.js";

/** Renders an answer as Markdown on a terminal, as it arrives. */
export function paintedAnswer({ io, options, output }: Context): AnswerView {
  const { stdout, env } = io;
  const palette = createPalette(stdout, { env, colorFlag: options.color });
  const live = new LiveOutput(stdout);
  const layout = { width: () => columnsOf(stdout), palette, indent: "" };
  const view = new RunView({
    text: () => liveText({ renderer: markdownReply(layout), show: live.print }),
    note: (line) => live.aside(() => output.note(line)),
    spinner: createSpinner(options.quiet ? () => live.spin() : live.spin),
  });
  return {
    show: (event) => view.show(event),
    end() {
      view.end();
      live.end();
    },
  };
}
