import type { RunEvent, RunOutput } from "../../agent/events.js";
import { singleLine } from "../../sanitise.js";
import { quoteInNote } from "../note-line.js";
import { count } from "../words.js";
import type { Spinner } from "./spinner.js";

/** Shows one text of a reply as it arrives. */
export interface TextView {
  add(delta: string): void;
  /** Shows the rest and finishes an unfinished row. No other call may follow. */
  end(): void;
}

export interface RunViewOptions {
  /** Creates the view of one text. A reply has several when tools are called in between. */
  readonly text: () => TextView;
  /** Shows everything else, one line at a time. */
  readonly note: (line: string) => void;
  /** Code points of a tool's line, which is cut with "…". Default: 200. */
  readonly toolWidth?: () => number;
  /** Spins while nothing arrives. */
  readonly spinner?: Spinner;
  /** Whether a tool's line contains its duration. Default: true. */
  readonly durations?: boolean;
}

/** Code points. The line only mentions the result, which may be long; `export` shows it whole. */
const LONGEST_TOOL_LINE = 200;

const NOT_DRAWN = "The reply could not be drawn. It is stored whole: export shows it.";

/** Shows the events of one run: the reply as it arrives, and a line for every tool and retry. */
export class RunView {
  readonly #options: RunViewOptions;
  #text: TextView | undefined;
  #hasFailed = false;
  /** How many messages were sent after the history turned out to be too long. */
  #historySent: number | undefined;

  constructor(options: RunViewOptions) {
    this.#options = options;
    options.spinner?.start();
  }

  /** Never throws: a run must not be cancelled because its reply cannot be drawn. */
  show(event: RunEvent): void {
    this.#guard(() => this.#show(event));
    if (this.#hasFailed && event.type === "run-end") this.#options.note(NOT_DRAWN);
  }

  #show(event: RunEvent): void {
    const { note, durations = true, spinner, toolWidth = () => LONGEST_TOOL_LINE } = this.#options;
    if (event.type === "history-shortened") this.#historySent = event.messages;
    else this.#noteHistory();
    if (event.type === "text-delta") {
      this.#showText(event.text);
      spinner?.pause();
    } else if (event.type === "run-end") this.#endRun(event.output);
    else {
      if (event.type === "tool-call") this.#endText();
      else if (event.type === "tool-result")
        note(singleLine(toolLine(event, durations), toolWidth()));
      else if (event.type === "retry") note(retryLine(event));
      else if (event.type === "reply-refused") note(refusedLine(event));
      spinner?.start();
    }
  }

  /** Finishes an unfinished row, so that the next output starts on a new one. */
  end(): void {
    this.#guard(() => this.#endText());
    this.#options.spinner?.stop();
  }

  /** After a failure, nothing more of this run is drawn. */
  #guard(draw: () => void): void {
    if (this.#hasFailed) return;
    try {
      draw();
    } catch {
      this.#hasFailed = true;
    }
  }

  /** Called once the history fits, since it may be shortened several times. */
  #noteHistory(): void {
    if (this.#historySent === undefined) return;
    this.#options.note(historyLine(this.#historySent));
    this.#historySent = undefined;
  }

  #endText(): void {
    this.#text?.end();
    this.#text = undefined;
  }

  #endRun(output: RunOutput): void {
    this.end();
    const remark = remarkOn(output);
    if (remark !== undefined) this.#options.note(remark);
  }

  #showText(delta: string): void {
    this.#text ??= this.#options.text();
    this.#text.add(delta);
  }
}

/** A remark when the reply was cut or is empty, which its text alone does not show. */
export function remarkOn({ finishReason, content }: RunOutput): string | undefined {
  if (finishReason === "length") return "The reply was cut at the model's token limit.";
  if (content.trim() === "") return "The model used its tools and said nothing more.";
  return undefined;
}

function toolLine(
  { name, content, isError, durationMs }: RunEvent & { type: "tool-result" },
  withDuration: boolean,
): string {
  const outcome = isError ? `failed: ${content}` : content;
  const duration = withDuration ? ` (${Math.round(durationMs)} ms)` : "";
  return `· ${name}${duration} ${outcome}`;
}

const historyLine = (messages: number): string =>
  `· The history is too long for the model: only its last ${count(messages, "message")} fit. To send fewer from the start: --history ${messages}`;

const refusedLine = ({ reason }: RunEvent & { type: "reply-refused" }): string =>
  `· The reply does not fit the schema: ${quoteInNote(reason)}. Asking once more.`;

function retryLine({ reason, delayMs, attempt }: RunEvent & { type: "retry" }): string {
  const seconds = (delayMs / 1000).toFixed(1);
  const cause = quoteInNote(reason);
  const end = /[.!?…]$/.test(cause) ? "" : ".";
  return `· ${cause}${end} Trying again in ${seconds} s (retry ${attempt}).`;
}
