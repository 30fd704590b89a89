import type { Context } from "../command-context.js";
import { plainReply, streamedText, type TextRenderer } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import { createSpinner } from "../render/spinner.js";
import type { AnswerView } from "./answer-view.js";

/** Writes an answer as plain text as it arrives: for pipes, simple terminals and --raw. */
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

/** Spins only until the first word, since afterwards it would overwrite text. */
export function spinnerOn({ io: { stderr, env }, options }: Context): () => void {
  if (!stderr.isTTY || options.quiet || env.TERM === "dumb") return () => {};
  const spinner = createSpinner((frame) =>
    stderr.write(frame === undefined ? "\r\u001b[K" : `\r${frame}`),
  );
  spinner.start();
  return spinner.stop;
}
