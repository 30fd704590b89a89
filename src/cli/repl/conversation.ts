import { asAgnoChatError } from "../../errors.js";
import { commandOf, handle } from "./handle.js";
import { type Input, parseInput } from "./input.js";
import type { LineEditor, SentMessage } from "./line-editor.js";
import type { LiveScreen } from "./live-screen.js";
import type { Repl } from "./repl.js";
import type { Who } from "./screen.js";

interface Job {
  readonly text: string;
  readonly input: Input;
  /** Who typed it: fixed when it was typed, whoever is active when it is done. */
  readonly who: Who;
}

export interface ConversationOptions {
  readonly editor: LineEditor;
  readonly screen: LiveScreen;
  readonly repl: Repl;
}

/** The loop of the terminal: what is typed while a reply comes waits its turn, and Ctrl-C stops the reply alone. */
export class Conversation {
  readonly #editor: LineEditor;
  readonly #screen: LiveScreen;
  readonly #repl: Repl;
  readonly #waiting: Job[] = [];
  #running: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor({ editor, screen, repl }: ConversationOptions) {
    this.#editor = editor;
    this.#screen = screen;
    this.#repl = repl;
  }

  /** Until the user leaves. A reply that is still coming is stopped then. */
  async run(): Promise<void> {
    const release = this.#editor.captureInterrupts(({ key, cleared }) =>
      this.#interrupt(key, cleared),
    );
    for (
      let event = await this.#editor.next();
      event.type !== "end";
      event = await this.#editor.next()
    )
      if (event.type === "message") this.#take(event);
    release();
    this.#waiting.length = 0;
    this.#running?.abort();
    await this.#work;
  }

  #take({ text, literal, owner }: SentMessage): void {
    const job = { text, input: parseInput(text, literal), who: this.#repl.whoIs(owner) };
    if (isImmediate(job.input)) void this.#perform(job, new AbortController());
    else if (this.#running === undefined) this.#work = this.#drain(job);
    else {
      this.#waiting.push(job);
      this.#screen.note(`↑ waits for its turn, as ${owner}`);
    }
  }

  async #drain(first: Job): Promise<void> {
    for (let job: Job | undefined = first; job !== undefined; job = this.#waiting.shift()) {
      // Once more, since other rows have come between it and its reply.
      if (job !== first) this.#screen.note(`${job.who.userId}: ${job.text}`);
      this.#running = new AbortController();
      await this.#perform(job, this.#running);
    }
    this.#running = undefined;
    if (this.#repl.isOver) this.#editor.close();
  }

  async #perform({ input, who }: Job, controller: AbortController): Promise<void> {
    try {
      await handle(this.#repl, input, { who, signal: controller.signal });
    } catch (thrown) {
      const { code, message, hint } = asAgnoChatError(thrown);
      if (code !== "CANCELLED")
        this.#screen.failure(hint === undefined ? message : `${message} ${hint}`);
    }
  }

  #interrupt(key: "ctrl-c" | "escape", cleared: boolean): void {
    if (this.#running !== undefined && !cleared) this.#running.abort();
    else if (key === "ctrl-c" && !cleared) this.#screen.note("To leave: Ctrl-D or /exit.");
  }
}

/** Whether it may be done at once, also while a reply comes. A command that does not exist is told so at once too. */
function isImmediate(input: Input): boolean {
  if (input.kind === "message") return false;
  try {
    return commandOf(input.name).immediate === true;
  } catch {
    return true;
  }
}
