import type { RunEvent } from "../../agent/events.js";
import { AgnoChatError } from "../../errors.js";
import { type ReplyView, recalled, type Screen } from "../chat/screen.js";
import { cannotAsk } from "../confirm.js";
import type { Output } from "../output.js";
import { streamedText } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import type { Layout } from "./layout.js";

export interface ScriptScreenOptions {
  readonly output: Output;
  readonly layout: Layout;
  /** Whether what a command would delete may go: nobody can be asked. */
  readonly mayDelete: boolean;
  /** Forgets what this user has typed on a terminal. */
  readonly forgetInput: (userId: string) => void;
}

/** Where a script shows what it does: replies and answers on stdout, remarks on stderr, nobody to ask. */
export class ScriptScreen implements Screen {
  readonly #output: Output;
  readonly #layout: Layout;
  readonly #mayDelete: boolean;
  readonly forgetInput: (userId: string) => void;
  #last = "";

  constructor({ output, layout, mayDelete, forgetInput }: ScriptScreenOptions) {
    this.#mayDelete = mayDelete;
    this.#output = output;
    this.#layout = layout;
    this.forgetInput = forgetInput;
  }

  /** The reply, or all that a command answered, since the last call. */
  takeLast(): string {
    const last = this.#last;
    this.#last = "";
    return last;
  }

  print(text: string): void {
    this.#last += text;
    this.#output.writeSafe(this.#layout.answer(text));
  }

  recall(role: string, text: string): void {
    this.print(recalled(role, text));
  }

  note(text: string): void {
    this.#last += `${text}\n`;
    this.#remark(text);
  }

  reply(): ReplyView {
    const view = new RunView({
      text: () => streamedText(this.#layout.reply(), (text) => this.#output.writeSafe(text)),
      note: (line) => this.#remark(line),
      // Two runs of one script show the same.
      durations: false,
    });
    return {
      show: (event: RunEvent) => {
        if (event.type === "text-delta") this.#last += event.text;
        view.show(event);
      },
      end: () => view.end(),
    };
  }

  show(): void {}

  async confirm(question: string): Promise<boolean> {
    if (this.#mayDelete) return true;
    throw cannotAsk(question);
  }

  async pickUser(): Promise<undefined> {
    return undefined;
  }

  async copy(): Promise<never> {
    throw needsTerminal("/copy");
  }

  async edit(): Promise<never> {
    throw needsTerminal("/edit");
  }

  #remark(text: string): void {
    this.#output.note(text, this.#layout.remark);
  }
}

const needsTerminal = (command: string): AgnoChatError =>
  new AgnoChatError("USAGE", `${command} needs a terminal.`, { hint: "Leave it out of scripts." });
