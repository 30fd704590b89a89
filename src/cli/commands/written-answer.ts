import type { RunEvent } from "../../agent/events.js";
import type { Context } from "../command-context.js";
import { plainReply, streamedText, type TextRenderer } from "../render/reply.js";
import { RunView, type TextView } from "../render/run-view.js";
import { createSpinner } from "../render/spinner.js";
import type { AnswerView } from "./answer-view.js";

/** Writes an answer as plain text as it arrives: for pipes, simple terminals and --raw. */
export function writtenAnswer(context: Context, raw: boolean): AnswerView {
  const { output } = context;
  const renderer = raw ? verbatim : plainReply;
  const text = () => streamedText(renderer(), (piece) => output.writeSafe(piece));
  return answerView(context, { text, isQuiet: (event) => event.type === "run-start" });
}

/** Writes the remarks on an answer alone, and spins until it is whole. */
export const notedAnswer = (context: Context): AnswerView =>
  answerView(context, {
    text: () => ({ add: () => {}, end: () => {} }),
    isQuiet: ({ type }) => type === "run-start" || type === "text-delta",
  });

interface Writing {
  readonly text: () => TextView;
  /** Whether an event writes nothing, so that the spinner may go on. */
  readonly isQuiet: (event: RunEvent) => boolean;
}

function answerView(context: Context, { text, isQuiet }: Writing): AnswerView {
  const { output } = context;
  const stopSpinner = spinnerOn(context);
  const view = new RunView({ text, note: (line) => output.note(line) });
  return {
    show(event) {
      if (!isQuiet(event)) stopSpinner();
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
