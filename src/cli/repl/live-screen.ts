import type { RunEvent, RunOutput } from "../../agent/events.js";
import type { UserInfo } from "../../memory/memory.js";
import { sanitise, singleLine } from "../../sanitise.js";
import type { Io } from "../io.js";
import { askWhether, askWhich } from "../questions.js";
import { type Palette, userColour } from "../render/colour.js";
import { createMarkdownRenderer } from "../render/markdown.js";
import { RunView } from "../render/run-view.js";
import { wrapText } from "../render/wrap.js";
import type { InputHistory } from "./input-history.js";
import type { LineEditor } from "./line-editor.js";
import type { ReplyView, Screen, Who } from "./screen.js";

export interface LiveScreenOptions {
  readonly io: Io;
  readonly palette: Palette;
  readonly editor: LineEditor;
  readonly historyOf: (userId: string) => InputHistory;
}

/** What every row begins with that is no prompt, so that nothing a model says can pass for one. */
const INDENT = "  ";

const LONGEST_NOTE = 500;

/** The terminal: everything is printed above the line being typed. */
export class LiveScreen implements Screen {
  readonly #io: Io;
  readonly #palette: Palette;
  readonly #editor: LineEditor;
  readonly #historyOf: (userId: string) => InputHistory;
  #active: Who | undefined;

  constructor({ io, palette, editor, historyOf }: LiveScreenOptions) {
    this.#io = io;
    this.#palette = palette;
    this.#editor = editor;
    this.#historyOf = historyOf;
  }

  get #width(): number {
    return this.#io.stdout.columns ?? 80;
  }

  print(text: string): void {
    this.#editor.print(this.#rows(sanitise(text).replace(/\n$/, "")));
  }

  note(text: string): void {
    this.#editor.print(this.#palette.dim(this.#rows(singleLine(text, LONGEST_NOTE))));
  }

  failure(text: string): void {
    this.#editor.print(this.#palette.red(this.#rows(singleLine(text, LONGEST_NOTE))));
  }

  reply(who: Who): ReplyView {
    if (who.userId !== this.#active?.userId) this.note(`to ${who.userId}:`);
    const started = performance.now();
    const text = createMarkdownRenderer({
      width: () => this.#width,
      palette: this.#palette,
      indent: INDENT,
    });
    const view = new RunView({
      text,
      write: (rows) => this.#editor.print(rows),
      note: (line) => this.note(line),
    });
    return {
      show: (event: RunEvent) => {
        view.show(event);
        if (event.type === "run-end")
          this.note(summaryOf(event.output, performance.now() - started));
      },
      end: (outcome) => {
        view.endLine();
        if (outcome === "interrupted") this.note("interrupted");
      },
    };
  }

  show(who: Who): void {
    this.#active = who;
    this.#editor.setOwner(who.userId, this.#historyOf(who.userId));
    this.#editor.setPrompt(promptOf(who, this.#palette));
  }

  async confirm(question: string): Promise<boolean> {
    return this.#asking(() => askWhether(this.#io, question));
  }

  async pickUser(users: readonly UserInfo[], active: string): Promise<string | undefined> {
    return this.#asking(() => askWhich(this.#io, users, active));
  }

  /** By OSC 52, which works over SSH too. The text goes as base64, so nothing in it is live. */
  copy(text: string): void {
    this.#io.stdout.write(`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`);
  }

  edit(text: string): Promise<string> {
    return this.#editor.edit(text);
  }

  forgetInput(userId: string): void {
    this.#historyOf(userId).clear();
  }

  clear(): void {
    this.#editor.clearScreen();
  }

  #rows(text: string): string {
    return wrapText(text, { width: this.#width, indent: INDENT });
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

/** `alice> `, or `alice/work> ` in a named session, in the user's own colour. */
export function promptOf({ userId, sessionId }: Who, palette: Palette): string {
  const name = sessionId === "default" ? userId : `${userId}/${sessionId}`;
  return `${userColour(userId, palette)(sanitise(name))}> `;
}

function summaryOf({ messages, usage, finishReason }: RunOutput, milliseconds: number): string {
  const model = messages.findLast((message) => message.model !== undefined)?.model;
  const about = usage?.estimated ? "about " : "";
  const tokens =
    usage === undefined ? undefined : `${about}${usage.inputTokens + usage.outputTokens} tokens`;
  const cut = finishReason === "length" ? "cut at the token limit" : undefined;
  return [model, tokens, `${(milliseconds / 1000).toFixed(1)} s`, cut]
    .filter((part) => part !== undefined)
    .join(" · ");
}
