import type { RunEvent } from "../../agent/events.js";
import { singleLine } from "../../sanitise.js";

/** Turns the text of a reply into what is written. */
export interface TextRenderer {
  write(chunk: string): string;
  /** What was held back. The renderer is then ready for the next text. */
  end(): string;
}

export interface RunViewOptions {
  readonly text: TextRenderer;
  /** Where the reply goes. */
  readonly write: (text: string) => void;
  /** Where everything else goes, a line at a time. */
  readonly note: (line: string) => void;
}

const LONGEST_NOTE = 200;

/** Shows the events of one run: the reply as it comes, a quiet line for every tool and retry. */
export class RunView {
  readonly #options: RunViewOptions;
  #lineIsOpen = false;

  constructor(options: RunViewOptions) {
    this.#options = options;
  }

  show(event: RunEvent): void {
    const { text, note } = this.#options;
    if (event.type === "text-delta") this.#write(text.write(event.text));
    else if (event.type === "tool-call") this.endLine();
    else if (event.type === "tool-result") note(toolLine(event));
    else if (event.type === "retry") note(retryLine(event));
    else if (event.type === "run-end") this.endLine();
  }

  /** Ends the row that was begun, so that the next thing written starts on its own. */
  endLine(): void {
    this.#write(this.#options.text.end());
    if (this.#lineIsOpen) this.#write("\n");
  }

  #write(text: string): void {
    if (text === "") return;
    this.#options.write(text);
    this.#lineIsOpen = !text.endsWith("\n");
  }
}

function toolLine({
  name,
  content,
  isError,
  durationMs,
}: RunEvent & { type: "tool-result" }): string {
  const outcome = isError ? `failed: ${content}` : content;
  return singleLine(`· ${name} (${Math.round(durationMs)} ms) ${outcome}`, LONGEST_NOTE);
}

function retryLine({ reason, delayMs, attempt }: RunEvent & { type: "retry" }): string {
  const seconds = (delayMs / 1000).toFixed(1);
  return singleLine(`· ${reason} Trying again in ${seconds} s (retry ${attempt}).`, LONGEST_NOTE);
}
