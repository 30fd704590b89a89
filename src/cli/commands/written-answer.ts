import type { Context } from "../context.js";
import { plainReply, streamedText, type TextRenderer } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import { createSpinner } from "../render/spinner.js";
import type { AnswerView } from "./answer-view.js";

/** An answer written on and on, as it comes: for a pipe, and for a terminal that can do no more or shall not. */
export function writtenAnswer(context: Context, raw: boolean): AnswerView {
  const { output } = context;
  const stopSpinner = spinnerOn(context);
  const renderer = raw ? verbatim : plainReply;
  const view = new RunView({
    text: () => streamedText(renderer(), (text) => output.writeSafe(text)),
    note: (line) => output.note(line),
  });
  return {
    show(event) {
      if (event.type !== "run-start") stopSpinner();
      view.show(event);
    },
    end() {
      stopSpinner();
      view.end();
    },
  };
}

const verbatim = (): TextRenderer => ({ write: (chunk) => chunk, end: () => "" });

/** Until the first word: later it could stand in the middle of a line. */
function spinnerOn({ io: { stderr, env }, options }: Context): () => void {
  if (!stderr.isTTY || options.quiet || env.TERM === "dumb") return () => {};
  const spinner = createSpinner((frame) =>
    stderr.write(frame === undefined ? "\r\u001b[K" : `\r${frame}`),
  );
  spinner.start();
  return spinner.stop;
}
