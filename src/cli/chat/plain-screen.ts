import type { RunEvent } from "../../agent/events.js";
import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import type { ExcerptPart, UserInfo } from "../../memory/memory.js";
import { sanitise } from "../../sanitise.js";
import type { Io } from "../io.js";
import { noteLine } from "../note-line.js";
import { plainReply, streamedText } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import { columnsOf, rowsOf } from "../render/terminal-size.js";
import type { InputFiles } from "../terminal/input-files.js";
import {
  type AnswerSpace,
  type ChatScreen,
  excerpted,
  type ReplyView,
  recalled,
} from "./screen.js";
import { PLAIN_HINTS } from "./typing-hints.js";

export interface PlainScreenOptions {
  /** Receives replies and the output of commands. */
  readonly answers: Io["stdout"];
  /** Receives questions, remarks and failures: stdout if it is a terminal, otherwise stderr. */
  readonly aside: Io["stderr"];
  /** The next typed line; undefined at the end of input. */
  readonly nextLine: () => Promise<string | undefined>;
  /** The input history files that the line editor writes. */
  readonly typedInput: InputFiles | undefined;
}

/** The chat on a terminal that only prints: text as it arrives, without control sequences. */
export class PlainScreen implements ChatScreen {
  readonly #options: PlainScreenOptions;
  readonly hints = PLAIN_HINTS;
  readonly lacks = ["copy", "edit"];

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

  excerpt(role: string, parts: readonly ExcerptPart[]): void {
    this.print(excerpted(role, parts));
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

  showActive(): void {}

  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test(await this.#ask(`${noteLine(question)} (y/N) `));
  }

  /** The active user for an empty line. */
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

  forgetInput(userId: UserId): void {
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
