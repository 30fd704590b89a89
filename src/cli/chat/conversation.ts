import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import { causeLines, failureLine } from "../failure-text.js";
import { asBlock, looksLikeCommand } from "../terminal/block.js";
import type { Interrupt, LineEditor, SentMessage } from "../terminal/line-editor.js";
import { count } from "../words.js";
import { type Input, parseInput } from "./chat-input.js";
import { commandOf, handle } from "./handle-input.js";
import type { LiveScreen } from "./live-screen.js";
import type { Repl, SayOptions } from "./repl.js";
import type { Speaker } from "./screen.js";

interface Job {
  readonly text: string;
  readonly literal: boolean;
  readonly input: Input;
  /** The user who typed it. Another user may be active when it runs. */
  readonly userId: UserId;
}

/** A job that waits for its turn behind a reply. */
interface WaitingJob extends Job {
  /** The user who typed it, in the session they were in at that point. */
  readonly speaker: Promise<Speaker>;
}

export interface ConversationOptions {
  readonly editor: LineEditor;
  readonly screen: LiveScreen;
  readonly repl: Repl;
  /** Also shows the causes of a failure. */
  readonly debug: boolean;
}

/**
 * The loop of the chat on a terminal. Messages typed during a reply wait for their turn. Ctrl-C
 * stops only the reply.
 */
export class Conversation {
  readonly #editor: LineEditor;
  readonly #screen: LiveScreen;
  readonly #repl: Repl;
  readonly #debug: boolean;
  readonly #waiting: WaitingJob[] = [];
  /** Resolves when all commands so far are done. */
  #commands: Promise<void> = Promise.resolve();
  /** The commands under way beside the replies. */
  readonly #commanding = new Set<AbortController>();
  #running: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor({ editor, screen, repl, debug }: ConversationOptions) {
    this.#debug = debug;
    this.#editor = editor;
    this.#screen = screen;
    this.#repl = repl;
  }

  /** Resolves when the user leaves. Stops a reply that is still streaming. */
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
    await Promise.all([this.#work, this.#commands]);
  }

  #take({ text, literal, owner: userId }: SentMessage): void {
    const job = { text, literal, input: parseInput(text, literal), userId };
    const turn = turnOf(job.input);
    if (turn === "at-once") void this.#command(job);
    else if (turn === "after-commands")
      this.#commands = this.#commands.then(() => this.#command(job));
    else this.#queue({ ...job, speaker: this.#commands.then(() => this.#repl.speakerOf(userId)) });
  }

  #queue(job: WaitingJob): void {
    if (this.#running === undefined) this.#work = this.#drain(job);
    else {
      this.#waiting.push(job);
      this.#screen.note(`↑ waits for its turn, as ${job.userId}`);
    }
  }

  async #drain(first: WaitingJob): Promise<void> {
    for (let job: WaitingJob | undefined = first; job !== undefined; job = this.#waiting.shift()) {
      // Shown again, since other rows now separate it from its reply.
      if (job !== first) this.#screen.note(`${job.userId}: ${job.text}`);
      this.#running = new AbortController();
      await this.#perform(job, { speaker: await job.speaker, signal: this.#running.signal });
    }
    this.#running = undefined;
  }

  async #command(job: Job): Promise<void> {
    const controller = new AbortController();
    this.#commanding.add(controller);
    const { signal } = controller;
    const speaker = this.#repl.speakerOf(job.userId);
    const isStopped = await this.#perform(job, { speaker, signal });
    if (isStopped && signal.aborted) this.#screen.note("interrupted");
    this.#commanding.delete(controller);
    if (this.#repl.isOver) this.#editor.close();
  }

  /** Returns whether it was stopped. */
  async #perform({ input }: Job, options: SayOptions): Promise<boolean> {
    try {
      await handle(this.#repl, input, options);
      return false;
    } catch (thrown) {
      const error = asAgnoChatError(thrown);
      if (error.code === "CANCELLED") return true;
      this.#showFailure(error);
      return false;
    }
  }

  #showFailure(error: AgnoChatError): void {
    this.#screen.failure(failureLine(error));
    if (this.#debug) for (const line of causeLines(error)) this.#screen.note(line);
  }

  /** Returns whether it stopped a reply or commands. If so, the editor keeps its draft. */
  #interrupt({ key, hasDraft }: Interrupt): boolean {
    if (this.#running === undefined) {
      if (this.#commanding.size > 0) return this.#stopCommands();
      if (key === "ctrl-c" && !hasDraft) this.#screen.note("To leave: Ctrl-D or /exit.");
      return false;
    }
    this.#running.abort();
    const waiting = this.#waiting.splice(0);
    this.#waiting.push(...waiting.filter(outlivesStop));
    this.#giveBack(waiting.filter((job) => !outlivesStop(job)));
    return true;
  }

  /** A command that cannot be stopped goes on. */
  #stopCommands(): true {
    for (const controller of this.#commanding)
      controller.abort(new AgnoChatError("CANCELLED", "The command was stopped."));
    return true;
  }

  /** Returns unsent input to the prompt of the user who typed it, to be sent or deleted. */
  #giveBack(jobs: readonly Job[]): void {
    for (const userId of new Set(jobs.map((job) => job.userId))) {
      const own = jobs.filter((job) => job.userId === userId);
      this.#screen.giveBack(userId, draftOf(own));
      this.#screen.note(
        `${count(own.length, "waiting line")} not sent: back at the prompt of ${userId}`,
      );
    }
  }
}

/** Joins several inputs into one draft. Text that was not a command must not become one. */
function draftOf(jobs: readonly Job[]): string {
  const text = jobs.map((job) => job.text).join("\n");
  const isOneAsTyped = jobs.length === 1 && jobs[0]?.literal === false;
  return isOneAsTyped || !looksLikeCommand(text) ? text : asBlock(text);
}

/** Whether it still runs when the reply before it is stopped. */
const outlivesStop = ({ input }: Job): boolean =>
  input.kind === "command" && commandOf(input.name).outlivesStop === true;

/** When an input runs. An unknown command fails at once. */
function turnOf(input: Input): "at-once" | "after-commands" | "after-replies" {
  if (input.kind === "message") return "after-replies";
  try {
    return commandOf(input.name).turn ?? "after-commands";
  } catch {
    return "at-once";
  }
}
