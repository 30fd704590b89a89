import type { RunEvent } from "../../agent/events.js";
import { AgnoChatError } from "../../errors.js";
import type { UserInfo } from "../../memory/memory.js";
import { sanitise } from "../../sanitise.js";
import type { Io } from "../io.js";
import { noteLine } from "../note-line.js";
import { plainReply, streamedText } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import { columnsOf, rowsOf } from "../render/terminal-size.js";
import type { InputFiles } from "../terminal/input-files.js";
import { type AnswerSpace, type ReplyView, recalled, type Screen } from "./screen.js";

export interface PlainScreenOptions {
  /** Replies and what commands answer. */
  readonly answers: Io["stdout"];
  /** Questions, remarks and failures: the terminal, if one of the two is one. */
  readonly aside: Io["stderr"];
  /** The next line that is typed, undefined when there is none any more. */
  readonly nextLine: () => Promise<string | undefined>;
  /** What users have typed where there is a line editor. */
  readonly typedInput: InputFiles | undefined;
}

/** A terminal that only prints: text as it comes, one line below the other, no sequences of any kind. */
export class PlainScreen implements Screen {
  readonly #options: PlainScreenOptions;

  constructor(options: PlainScreenOptions) {
    this.#options = options;
  }

  /** The rows above the prompt, if answers go to a terminal. */
  get space(): AnswerSpace {
    const { answers } = this.#options;
    return { columns: columnsOf(answers), rows: answers.isTTY ? rowsOf(answers) - 1 : Infinity };
  }

  print(text: string): void {
    this.#options.answers.write(sanitise(text));
  }

  recall(role: string, text: string): void {
    this.print(recalled(role, text));
  }

  note(text: string): void {
    this.#options.aside.write(`${noteLine(text)}\n`);
  }

  reply(): ReplyView {
    const view = new RunView({
      text: () => streamedText(plainReply(), (text) => this.#options.answers.write(text)),
      note: (line) => this.note(line),
    });
    return {
      show: (event: RunEvent) => view.show(event),
      end: (outcome) => {
        view.end();
        if (outcome === "interrupted") this.note("interrupted");
      },
    };
  }

  show(): void {}

  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test(await this.#ask(`${noteLine(question)} (y/N) `));
  }

  /** An empty line stays who they are. */
  async pickUser(users: readonly UserInfo[], active: string): Promise<string> {
    for (const { userId } of users) this.note(`${userId}${userId === active ? " (now)" : ""}`);
    return (await this.#ask("Talk as: ")) || active;
  }

  async copy(): Promise<never> {
    throw needsMore("/copy");
  }

  async edit(): Promise<never> {
    throw needsMore("/edit");
  }

  forgetInput(userId: string): void {
    this.#options.typedInput?.remove(userId);
  }

  async #ask(question: string): Promise<string> {
    this.#options.aside.write(question);
    return ((await this.#options.nextLine()) ?? "").trim();
  }
}

const needsMore = (command: string): AgnoChatError =>
  new AgnoChatError("USAGE", `${command} needs a terminal that does more than print.`, {
    hint: "Start agno-chat without TERM=dumb, its output on the terminal.",
  });
