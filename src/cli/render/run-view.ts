import type { RunEvent, RunOutput } from "../../agent/events.js";
import { singleLine } from "../../sanitise.js";

/** Turns one text of a reply into what is written. */
export interface TextRenderer {
  write(chunk: string): string;
  /** What was held back. Nothing comes after it. */
  end(): string;
}

export interface RunViewOptions {
  /** Makes the renderer of each text: a reply has several when tools are called in between. */
  readonly text: () => TextRenderer;
  /** Where the reply goes. */
  readonly write: (text: string) => void;
  /** Where everything else goes, a line at a time. */
  readonly note: (line: string) => void;
  /** Whether a tool's line says how long it took. Default: true. */
  readonly durations?: boolean;
}

const LONGEST_NOTE = 200;

/** Shows the events of one run: the reply as it comes, a quiet line for every tool and retry. */
export class RunView {
  readonly #options: RunViewOptions;
  #text: TextRenderer | undefined;
  #lineIsOpen = false;

  constructor(options: RunViewOptions) {
    this.#options = options;
  }

  show(event: RunEvent): void {
    const { note, durations = true } = this.#options;
    if (event.type === "text-delta") this.#showText(event.text);
    else if (event.type === "tool-call") this.endLine();
    else if (event.type === "tool-result") note(toolLine(event, durations));
    else if (event.type === "retry") note(retryLine(event));
    else if (event.type === "run-end") this.#end(event.output);
  }

  /** Ends the row that was begun, so that the next thing written starts on its own. */
  endLine(): void {
    if (this.#text !== undefined) this.#write(this.#text.end());
    this.#text = undefined;
    if (this.#lineIsOpen) this.#write("\n");
  }

  #end(output: RunOutput): void {
    this.endLine();
    const remark = remarkOn(output);
    if (remark !== undefined) this.#options.note(remark);
  }

  #showText(delta: string): void {
    this.#text ??= this.#options.text();
    this.#write(this.#text.write(delta));
  }

  #write(text: string): void {
    if (text === "") return;
    this.#options.write(text);
    this.#lineIsOpen = !text.endsWith("\n");
  }
}

/** What a reader of the reply cannot see in it: that it is not whole, or that there is none. */
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
  return singleLine(`· ${name}${duration} ${outcome}`, LONGEST_NOTE);
}

function retryLine({ reason, delayMs, attempt }: RunEvent & { type: "retry" }): string {
  const seconds = (delayMs / 1000).toFixed(1);
  return singleLine(`· ${reason} Trying again in ${seconds} s (retry ${attempt}).`, LONGEST_NOTE);
}
