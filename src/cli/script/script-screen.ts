import type { RunEvent } from "../../agent/events.js";
import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import type { ExcerptPart } from "../../memory/memory.js";
import {
  type AnswerSpace,
  type ChatScreen,
  excerpted,
  type ReplyView,
  recalled,
} from "../chat/screen.js";
import { SCRIPT_HINTS } from "../chat/typing-hints.js";
import { cannotAskError } from "../confirm.js";
import type { Output } from "../output.js";
import { streamedText } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import type { Layout } from "./layout.js";

export interface ScriptScreenOptions {
  readonly output: Output;
  readonly layout: Layout;
  /** Whether commands may delete data, since a script cannot be asked. */
  readonly mayDelete: boolean;
  /** Deletes the input this user has typed on a terminal. */
  readonly forgetInput: (userId: UserId) => void;
}

/** The screen of a script: replies and output on stdout, remarks on stderr, no questions. */
export class ScriptScreen implements ChatScreen {
  readonly #output: Output;
  readonly #layout: Layout;
  readonly #mayDelete: boolean;
  readonly forgetInput: (userId: UserId) => void;
  /** Fixed, so that two runs of a script print the same. */
  readonly space: AnswerSpace = { columns: 80, rows: Infinity };
  readonly hints = SCRIPT_HINTS;
  readonly lacks = ["copy", "edit"];
  #last = "";

  constructor({ output, layout, mayDelete, forgetInput }: ScriptScreenOptions) {
    this.#mayDelete = mayDelete;
    this.#output = output;
    this.#layout = layout;
    this.forgetInput = forgetInput;
  }

  /** Returns the reply or command output since the last call. */
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

  excerpt(role: string, parts: readonly ExcerptPart[]): void {
    this.print(excerpted(role, parts));
  }

  note(text: string): void {
    this.#last += `${text}\n`;
    this.#remark(text);
  }

  reply(): ReplyView {
    const view = new RunView({
      text: () => streamedText(this.#layout.reply(), (text) => this.#output.writeSafe(text)),
      note: (line) => this.#remark(line),
      // Two runs of a script must print the same.
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

  showActive(): void {}

  async confirm(question: string): Promise<boolean> {
    if (this.#mayDelete) return true;
    throw cannotAskError(question);
  }

  /** Most likely a variable was empty, and the next lines would be said as another user. */
  async pickUser(): Promise<never> {
    throw new AgnoChatError("USAGE", "/user needs a user id here.", {
      hint: "/users lists everyone.",
    });
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
