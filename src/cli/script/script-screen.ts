import type { RunEvent } from "../../agent/events.js";
import { AgnoChatError } from "../../errors.js";
import { sanitise } from "../../sanitise.js";
import type { Output } from "../output.js";
import { plainReply } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import type { ReplyView, Screen } from "../repl/screen.js";

/** Where a script shows what it does: replies and answers on stdout, remarks on stderr, nobody to ask. */
export class ScriptScreen implements Screen {
  readonly #output: Output;
  readonly #indent: string;
  #last = "";

  /** @param indent What every row of a reply begins with. */
  constructor(output: Output, indent = "") {
    this.#output = output;
    this.#indent = indent;
  }

  /** What was shown since the last call. */
  takeLast(): string {
    const last = this.#last;
    this.#last = "";
    return last;
  }

  print(text: string): void {
    this.#last += text;
    this.#write(sanitise(text));
  }

  note(text: string): void {
    this.#output.note(text);
  }

  reply(): ReplyView {
    let row = "";
    const view = new RunView({
      text: plainReply,
      write: (text) => {
        const rows = (row + text).split("\n");
        row = rows.pop() ?? "";
        for (const whole of rows) this.#write(`${whole}\n`);
      },
      note: (line) => this.#output.note(line),
    });
    return {
      show: (event: RunEvent) => {
        if (event.type === "text-delta") this.#last += event.text;
        view.show(event);
      },
      end: () => view.endLine(),
    };
  }

  show(): void {}

  async confirm(): Promise<boolean> {
    return true;
  }

  async pickUser(): Promise<undefined> {
    return undefined;
  }

  copy(): void {
    throw needsTerminal("/copy");
  }

  async edit(): Promise<string> {
    throw needsTerminal("/edit");
  }

  forgetInput(): void {}

  clear(): void {}

  #write(text: string): void {
    this.#output.writeSafe(this.#indent === "" ? text : text.replace(/^(?=.)/gm, this.#indent));
  }
}

const needsTerminal = (command: string): AgnoChatError =>
  new AgnoChatError("USAGE", `${command} needs a terminal.`, { hint: "Leave it out of scripts." });
