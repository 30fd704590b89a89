import { createInterface } from "node:readline";
import { onAbort } from "../../abort.js";
import { asAgnoChatError } from "../../errors.js";
import { openMemory } from "../../memory/open-memory.js";
import { sanitise } from "../../sanitise.js";
import type { Context } from "../command-context.js";
import { listenExclusively } from "../ending-signals.js";
import { causeLines, failureLine } from "../failure-text.js";
import type { Io } from "../io.js";
import { chooseModel, openChosenModel } from "../model-choice.js";
import { storeOf } from "../open-agent.js";
import { createPalette } from "../render/colour.js";
import { beginsWithMark, blockContent, isOpenBlock } from "../terminal/block.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { type Input, parseInput } from "./chat-input.js";
import type { FirstMessage } from "./first-message.js";
import { handle } from "./handle-input.js";
import { introductionOf } from "./introduction.js";
import { openRepl } from "./open-repl.js";
import { PlainScreen } from "./plain-screen.js";
import { promptOf } from "./prompt.js";
import type { Repl } from "./repl.js";
import type { Speaker } from "./screen.js";
import { welcomeLine, welcomeText } from "./welcome.js";

const CONTINUATION = "… ";

/**
 * The REPL on a terminal that only prints, or with its answers in a pipe. The terminal edits the
 * line. Prompts and remarks go to the terminal, answers to stdout.
 */
export async function plain(context: Context, first?: FirstMessage): Promise<void> {
  const { io, home, options, settings, signal } = context;
  const aside = io.stdout.isTTY ? io.stdout : io.stderr;
  const lines = new TypedLines(io.stdin);
  onAbort(signal, () => lines.close());
  const memory = await openMemory(storeOf(context));
  try {
    const screen = new PlainScreen({
      answers: io.stdout,
      aside,
      nextLine: () => lines.next(),
      typedInput: inputFilesIn(home),
    });
    const speaker = { userId: settings.values.user, sessionId: settings.values.session };
    const introduction = await introductionOf(memory, speaker);
    if (!options.quiet) aside.write(welcomeText(context));
    if (!options.quiet) screen.note(welcomeLine(introduction));
    const model = await openChosenModel(chooseModel(settings, io.env), { signal });
    const repl = await openRepl(context, { memory, model, screen, files: first?.attachments });
    await new PlainConversation({ context, repl, lines, screen, aside }).run(first?.text);
  } finally {
    lines.close();
    await memory.close();
  }
}

/** The typed input, line by line. */
class TypedLines {
  readonly #reader: ReturnType<typeof createInterface>;
  readonly #lines: AsyncIterator<string>;
  /** The read in progress. After `giveUp` it goes on, and the next caller gets its line. */
  #pending: Promise<string | undefined> | undefined;
  giveUp = (): void => {};

  constructor(stdin: Io["stdin"]) {
    this.#reader = createInterface({ input: stdin, terminal: false });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Undefined at the end of input, when the terminal is gone, and after `giveUp`. */
  next(): Promise<string | undefined> {
    this.#pending ??= this.#read();
    const givenUp = new Promise<undefined>((resolve) => {
      this.giveUp = () => resolve(undefined);
    });
    return Promise.race([this.#pending, givenUp]);
  }

  async #read(): Promise<string | undefined> {
    try {
      const { value, done } = await this.#lines.next();
      return done ? undefined : value;
    } catch {
      return undefined;
    } finally {
      this.#pending = undefined;
    }
  }

  close(): void {
    this.#reader.close();
  }
}

function inputOf(typed: string): Input {
  const block = blockContent(typed);
  return parseInput(block ?? typed, block !== undefined && beginsWithMark(typed));
}

interface PlainConversationOptions {
  readonly context: Context;
  readonly repl: Repl;
  readonly lines: TypedLines;
  readonly screen: PlainScreen;
  readonly aside: Io["stderr"];
}

/** Handles one line after the other. Ctrl-C, a signal here, stops only the reply. */
class PlainConversation {
  readonly #options: PlainConversationOptions;
  #running: AbortController | undefined;

  constructor(options: PlainConversationOptions) {
    this.#options = options;
  }

  async run(first: string | undefined): Promise<void> {
    const { context, repl } = this.#options;
    const restore = listenExclusively(context.io, ["SIGINT"], () => this.#interrupt());
    try {
      if (first !== undefined) await this.#begin(first);
      while (!repl.isOver && !context.signal.aborted) {
        const text = await this.#read();
        if (text === undefined) return;
        if (text.trim() !== "") await this.#perform(inputOf(text));
      }
    } finally {
      restore();
    }
  }

  /** Reads one input. A block, or a line that ends with a backslash, spans several lines. */
  async #read(): Promise<string | undefined> {
    const { lines } = this.#options;
    this.#prompt();
    let text = await lines.next();
    while (text !== undefined && (isOpenBlock(text) || text.endsWith("\\"))) {
      this.#write(CONTINUATION);
      const more = await lines.next();
      if (more === undefined) return text;
      text = `${isOpenBlock(text) ? text : text.slice(0, -1)}\n${more}`;
    }
    return text;
  }

  /** Shows the first message as if it had been typed. */
  async #begin(text: string): Promise<void> {
    this.#prompt();
    this.#write(`${sanitise(text)}\n`);
    await this.#perform({ kind: "message", text });
  }

  async #perform(input: Input): Promise<void> {
    const { context, repl, screen } = this.#options;
    const controller = new AbortController();
    this.#running = controller;
    try {
      const signal = AbortSignal.any([context.signal, controller.signal]);
      await handle(repl, input, { speaker: repl.active, signal });
    } catch (thrown) {
      const error = asAgnoChatError(thrown);
      if (error.code === "CANCELLED") return;
      screen.note(failureLine(error));
      if (context.options.debug) for (const line of causeLines(error)) screen.note(line);
    } finally {
      this.#running = undefined;
    }
  }

  #interrupt(): void {
    this.#write("\n");
    if (this.#running !== undefined) {
      this.#running.abort();
      return this.#options.lines.giveUp();
    }
    this.#options.screen.note("To leave: Ctrl-D or /exit.");
    this.#prompt();
  }

  #prompt(): void {
    this.#write(this.#promptOf(this.#options.repl.active));
  }

  #promptOf(speaker: Speaker): string {
    const { io, options } = this.#options.context;
    const { aside } = this.#options;
    return promptOf(speaker, createPalette(aside, { env: io.env, colorFlag: options.color }));
  }

  /** Writes only if `aside` is a terminal. */
  #write(text: string): void {
    const { aside } = this.#options;
    if (aside.isTTY) aside.write(text);
  }
}
