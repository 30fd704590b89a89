import type { RunEvent, RunOutput } from "../../agent/events.js";
import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import type { ExcerptPart, LimitName, LimitUse, UserInfo } from "../../memory/memory.js";
import type { Usage } from "../../messages.js";
import { sanitise } from "../../sanitise.js";
import { askWhether, askWhich } from "../inquirer-questions.js";
import type { Io } from "../io.js";
import { noteLine } from "../note-line.js";
import type { Paint, Palette } from "../render/colour.js";
import { liveText } from "../render/live-text.js";
import { markdownReply } from "../render/markdown-reply.js";
import { RunView } from "../render/run-view.js";
import { createSpinner } from "../render/spinner.js";
import { columnsOf, rowsOf } from "../render/terminal-size.js";
import { createRows, paintRow, plain, wrapText } from "../render/wrap.js";
import { asBlock } from "../terminal/block.js";
import type { Copied } from "../terminal/clipboard.js";
import type { InputHistory } from "../terminal/input-history.js";
import type { LineEditor } from "../terminal/line-editor.js";
import type { PromptIo } from "../terminal/question-input.js";
import { isPlainText } from "./chat-input.js";
import { nameOf, promptOf } from "./prompt.js";
import type { AnswerSpace, ChatScreen, ReplyView, Speaker } from "./screen.js";
import { EDITOR_HINTS } from "./typing-hints.js";

export interface LiveScreenOptions {
  readonly io: Io;
  readonly palette: Palette;
  readonly editor: LineEditor;
  readonly historyOf: (userId: UserId) => InputHistory;
  /** The first active speaker. */
  readonly start: Speaker;
  /** Withdraws a question. */
  readonly signal: AbortSignal;
}

/** Starts every row that is not a prompt, so a model's text cannot look like one. */
const INDENT = "  ";

/** The chat on a terminal. Prints everything above the line being typed. */
export class LiveScreen implements ChatScreen {
  readonly #io: Io;
  readonly #palette: Palette;
  readonly #editor: LineEditor;
  readonly #historyOf: (userId: UserId) => InputHistory;
  readonly #signal: AbortSignal;
  readonly hints = EDITOR_HINTS;
  readonly lacks = [];
  #active: Speaker;
  #spin: string | undefined;
  /** The speaker whose reply is streaming. */
  #replyingTo: Speaker | undefined;

  constructor({ io, palette, editor, historyOf, start, signal }: LiveScreenOptions) {
    this.#io = io;
    this.#palette = palette;
    this.#editor = editor;
    this.#historyOf = historyOf;
    this.#active = start;
    this.#signal = signal;
  }

  get #promptIo(): PromptIo {
    return { stdin: this.#io.stdin, stderr: this.#io.stdout, signal: this.#signal };
  }

  get #width(): number {
    return columnsOf(this.#io.stdout);
  }

  /** The rows above the prompt. */
  get space(): AnswerSpace {
    return { columns: this.#width - INDENT.length, rows: rowsOf(this.#io.stdout) - 1 };
  }

  print(text: string): void {
    this.#editor.print(this.#rows(sanitise(text).replace(/\n$/, "")));
  }

  /** One line of words follows its role; other text is indented below it, never at the margin. */
  recall(role: string, text: string): void {
    const isWords = /^[\p{L}\p{N}][^\n]*$/u.test(text);
    const indent = isWords ? INDENT : `${INDENT}  `;
    const reply = markdownReply({ width: () => this.#width, palette: this.#palette, indent });
    if (!isWords) this.print(`${role}:`);
    const rows = reply.write(isWords ? `${role}: ${text}` : text) + reply.end();
    this.#editor.print(rows);
  }

  excerpt(role: string, parts: readonly ExcerptPart[]): void {
    const prefix = () => [{ text: `${INDENT}  `, paint: plain }];
    const rows = createRows({ width: () => this.#width, prefix });
    const spans = parts.map(({ text, isMatch }) => ({
      text,
      paint: isMatch ? this.#palette.bold.yellow : plain,
    }));
    const wrapped = [{ text: `${sanitise(role)}: `, paint: plain }, ...spans].flatMap(rows.add);
    this.#editor.print([...wrapped, ...rows.end()].map(paintRow).join(""));
  }

  note(text: string): void {
    this.#editor.print(this.#rows(noteLine(text), this.#palette.dim));
  }

  failure(text: string): void {
    this.#editor.print(this.#rows(noteLine(text), this.#palette.red));
  }

  reply(speaker: Speaker): ReplyView {
    this.#replyingTo = speaker;
    if (speaker.userId !== this.#active.userId) this.note(`to ${speaker.userId}:`);
    const started = performance.now();
    const width = () => this.#width;
    const view = new RunView({
      text: () =>
        liveText({
          renderer: markdownReply({ width, palette: this.#palette, indent: INDENT }),
          show: (certain, unfinished) => this.#editor.print(certain, unfinished),
        }),
      note: (line) => this.note(line),
      toolWidth: () => this.#width - INDENT.length,
      spinner: createSpinner((frame) => this.#showSpinner(frame)),
    });
    return {
      show: (event: RunEvent) => {
        view.show(event);
        if (event.type === "run-end")
          this.note(this.#label(speaker) + summaryOf(event.output, performance.now() - started));
      },
      end: (outcome) => {
        this.#replyingTo = undefined;
        view.end();
        if (outcome === "interrupted") this.note(`${this.#label(speaker)}interrupted`);
      },
    };
  }

  showActive(speaker: Speaker): void {
    const asker = this.#replyingTo?.userId;
    if (asker !== undefined && asker !== speaker.userId)
      this.note(`The reply to ${asker} goes on.`);
    this.#active = speaker;
    this.#editor.setOwner(speaker.userId, this.#historyOf(speaker.userId));
    this.#showPrompt();
  }

  async confirm(question: string): Promise<boolean> {
    return this.#asking(() => askWhether(this.#promptIo, question));
  }

  /** The active user if none is picked. */
  async pickUser(users: readonly UserInfo[], active: string): Promise<string> {
    return (await this.#asking(() => askWhich(this.#promptIo, users, active))) ?? active;
  }

  async copy(text: string, signal: AbortSignal): Promise<Copied> {
    const { copyText } = await import("../terminal/clipboard.js");
    const { env, stdout } = this.#io;
    const write = (sequence: string) => void stdout.write(sequence);
    const copied = await copyText(text, { env, write, signal });
    if (copied !== undefined) return copied;
    throw new AgnoChatError("USAGE", "There is nothing here to copy with.", {
      hint: "/export FILE writes the session.",
    });
  }

  async edit(userId: UserId): Promise<void> {
    const text = await this.#editor.edit("");
    if (text.trim() === "") this.note("Nothing written.");
    else this.giveBack(userId, isPlainText(text) ? text : asBlock(text));
  }

  giveBack(userId: UserId, text: string): void {
    this.#editor.giveBack(text, { owner: userId, history: this.#historyOf(userId) });
  }

  forgetInput(userId: UserId): void {
    this.#historyOf(userId).clear();
  }

  #showSpinner(frame: string | undefined): void {
    this.#spin = frame;
    this.#showPrompt();
  }

  #showPrompt(): void {
    // Replaces the ">", so the text being typed does not move.
    const spinning = `${nameOf(this.#active, this.#palette)}${this.#palette.dim(this.#spin)} `;
    const prompt = promptOf(this.#active, this.#palette);
    this.#editor.setPrompt(prompt, this.#spin === undefined ? prompt : spinning);
  }

  /** Names the user of a reply if it is not the one in the prompt. */
  #label({ userId }: Speaker): string {
    return userId === this.#active.userId ? "" : `to ${userId} · `;
  }

  #rows(text: string, paint: Paint = plain): string {
    return wrapText(text, { width: this.#width, indent: INDENT }).replace(/.+/g, (row) =>
      paint(row),
    );
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    this.#editor.suspend();
    try {
      return await ask();
    } finally {
      this.#editor.resume();
    }
  }
}

function summaryOf({ messages, usage, limits }: RunOutput, milliseconds: number): string {
  const model = messages.findLast((message) => message.model !== undefined)?.model;
  const tokens = usage && tokensText(usage);
  const near = limits?.map(nearText) ?? [];
  return [model, tokens, `${(milliseconds / 1000).toFixed(1)} s`, ...near]
    .filter((part) => part !== undefined)
    .join(" · ");
}

const tokensText = ({ estimated, inputTokens, outputTokens }: Usage): string =>
  `${estimated ? "about " : ""}${inputTokens} tokens in, ${outputTokens} out`;

/** From which part of a limit on the user is told. */
const NEAR_PERCENT = 80;

/** Nothing of runs at once, of which there is one now. */
const OF_WHAT: Partial<Record<LimitName, string>> = {
  tokensPerDay: "of today's tokens",
  requestsPerMinute: "of this minute's messages",
  bytesKept: "of the room for messages",
};

function nearText({ limit, used, allowed = Infinity }: LimitUse): string | undefined {
  const percent = Math.min(100, Math.floor((100 * used) / allowed));
  const what = OF_WHAT[limit];
  return what === undefined || percent < NEAR_PERCENT ? undefined : `${percent} % ${what}`;
}
