import { type AgnoChatError, asAgnoChatError } from "../../errors.js";
import { causeLines, failureLine } from "../failure-text.js";
import { commandOf, handle } from "./handle.js";
import { type Input, parseInput } from "./input.js";
import type { Interrupt, LineEditor, SentMessage } from "./line-editor.js";
import type { LiveScreen } from "./live-screen.js";
import type { Repl } from "./repl.js";

interface Job {
  readonly text: string;
  readonly input: Input;
  /** Who typed it, whoever is active when it is done. */
  readonly userId: string;
}

export interface ConversationOptions {
  readonly editor: LineEditor;
  readonly screen: LiveScreen;
  readonly repl: Repl;
  /** Show the causes of a failure too. */
  readonly debug: boolean;
}

/** The loop of the terminal: what is typed while a reply comes waits its turn, and Ctrl-C stops the reply alone. */
export class Conversation {
  readonly #editor: LineEditor;
  readonly #screen: LiveScreen;
  readonly #repl: Repl;
  readonly #debug: boolean;
  readonly #waiting: Job[] = [];
  #running: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor({ editor, screen, repl, debug }: ConversationOptions) {
    this.#debug = debug;
    this.#editor = editor;
    this.#screen = screen;
    this.#repl = repl;
  }

  /** Until the user leaves. A reply that is still coming is stopped then. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#editor.listen((event) => {
        if (event.type === "message") this.#take(event);
        else if (event.type === "interrupt") return this.#interrupt(event);
        else resolve();
        return undefined;
      });
    });
    this.#waiting.length = 0;
    this.#running?.abort();
    await this.#work;
  }

  #take({ text, literal, owner: userId }: SentMessage): void {
    const job = { text, input: parseInput(text, literal), userId };
    if (isImmediate(job.input)) void this.#perform(job, new AbortController());
    else if (this.#running === undefined) this.#work = this.#drain(job);
    else {
      this.#waiting.push(job);
      this.#screen.note(`↑ waits for its turn, as ${userId}`);
    }
  }

  async #drain(first: Job): Promise<void> {
    for (let job: Job | undefined = first; job !== undefined; job = this.#waiting.shift()) {
      // Once more, since other rows have come between it and its reply.
      if (job !== first) this.#screen.note(`${job.userId}: ${job.text}`);
      this.#running = new AbortController();
      await this.#perform(job, this.#running);
    }
    this.#running = undefined;
    if (this.#repl.isOver) this.#editor.close();
  }

  async #perform({ input, userId }: Job, controller: AbortController): Promise<void> {
    try {
      const who = this.#repl.whoIs(userId);
      await handle(this.#repl, input, { who, signal: controller.signal });
    } catch (thrown) {
      const error = asAgnoChatError(thrown);
      if (error.code !== "CANCELLED") this.#showFailure(error);
    }
  }

  #showFailure(error: AgnoChatError): void {
    this.#screen.failure(failureLine(error));
    if (this.#debug) for (const line of causeLines(error)) this.#screen.note(line);
  }

  /** Whether it stopped a reply: then what is half typed stays. */
  #interrupt({ key, hasDraft }: Interrupt): boolean {
    if (this.#running === undefined) {
      if (key === "ctrl-c" && !hasDraft) this.#screen.note("To leave: Ctrl-D or /exit.");
      return false;
    }
    this.#running.abort();
    return true;
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
