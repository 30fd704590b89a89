import { setImmediate as nextTurn } from "node:timers/promises";
import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import { type Input, parseInput } from "../chat/chat-input.js";
import { handle } from "../chat/handle-input.js";
import type { Repl } from "../chat/repl.js";
import { failureText } from "../failure-text.js";
import type { Io } from "../io.js";
import { check, type Outcome } from "./expectations.js";
import type { ScriptScreen } from "./script-screen.js";
import { type Statement, statementsOf } from "./statements.js";
import { expandVariables } from "./variables.js";

export interface ScriptOptions {
  readonly repl: Repl;
  readonly screen: ScriptScreen;
  /** As it stands in front of a line number. */
  readonly name: string;
  readonly lines: AsyncIterable<string>;
  readonly env: Io["env"];
  readonly signal: AbortSignal;
  /** Go on after a failure. */
  readonly keepGoing: boolean;
  /**
   * Somebody may write the next line only after the answer to this one: then a failed input is reported at once, though
   * the next line may say that it was expected.
   */
  readonly isLive: boolean;
  /** Called with every statement before it is done. */
  readonly onStatement?: (statement: Statement) => void;
  readonly onFailure: (failure: AgnoChatError) => void;
}

export interface Failure {
  /** Undefined when it was not one line that failed. */
  readonly line: number | undefined;
  /** Its message names the line. */
  readonly error: AgnoChatError;
}

export interface Verdict {
  readonly inputs: number;
  readonly expectations: number;
  /** In the order of the lines. */
  readonly failures: readonly Failure[];
}

/**
 * Runs a script strictly one line after the other, up to its end, its first failure, or `/exit`.
 * @throws the reason of `signal`, as soon as it aborts
 */
export async function runScript(options: ScriptOptions): Promise<Verdict> {
  return new ScriptRun(options).run();
}

class ScriptRun {
  readonly #options: ScriptOptions;
  readonly #failures: Failure[] = [];
  /** An input that failed: whether that is a failure of the script, the next statement says. */
  #unanswered: Failure | undefined;
  #lastOutput = "";
  #inputs = 0;
  #expectations = 0;

  constructor(options: ScriptOptions) {
    this.#options = options;
  }

  async run(): Promise<Verdict> {
    const { repl, lines, signal } = this.#options;
    try {
      for await (const statement of statementsOf(lines)) {
        // Else a model that answers at once would keep signals and a closed pipe from being noticed.
        await nextTurn(undefined, { signal });
        await this.#step(statement);
        if (this.#isDecided || repl.isOver) break;
      }
    } catch (thrown) {
      const failure = this.#failure(thrown);
      this.#settle();
      if (!this.#isDecided) this.#fail(failure);
    }
    this.#settle();
    return { inputs: this.#inputs, expectations: this.#expectations, failures: this.#failures };
  }

  get #isDecided(): boolean {
    return this.#failures.length > 0 && !this.#options.keepGoing;
  }

  async #step(statement: Statement): Promise<void> {
    const isAboutFailure =
      statement.kind === "comment" ||
      (statement.kind === "expectation" && statement.word === "fails");
    if (!isAboutFailure) this.#settle();
    if (this.#isDecided) return;
    this.#options.onStatement?.(statement);
    try {
      if (statement.kind === "input") await this.#input(statement);
      else if (statement.kind === "expectation") await this.#expect(statement);
      else if (statement.kind === "unended-block") throw unendedBlock();
    } catch (thrown) {
      const failure = this.#failure(thrown, statement.line);
      if (statement.kind === "input") this.#hold(failure);
      else this.#fail(failure);
    }
  }

  async #input({ text, literal }: Statement & { kind: "input" }): Promise<void> {
    const { repl, screen, env, signal } = this.#options;
    this.#inputs++;
    screen.takeLast();
    try {
      const input = withVariables(parseInput(text, literal), env);
      await handle(repl, input, { who: repl.active, signal });
    } finally {
      this.#lastOutput = screen.takeLast();
    }
  }

  async #expect({ word, argument }: Statement & { kind: "expectation" }): Promise<void> {
    const { repl, screen, env, isLive } = this.#options;
    this.#expectations++;
    const { userId, sessionId } = repl.active;
    const failure = this.#unanswered?.error;
    this.#unanswered = undefined;
    const outcome: Outcome = {
      output: this.#lastOutput,
      size: async () => repl.memory.size(userId, { sessionId }),
      failure,
    };
    const fault = await check(word, expandVariables(argument, env), outcome);
    if (fault !== undefined) throw new AgnoChatError("EXPECTATION_FAILED", fault);
    if (failure !== undefined && !isLive) screen.print(`${failureText(failure)}\n`);
  }

  /** Keeps a failed input until it is known whether it was expected; what it failed with counts as its output. */
  #hold(failure: Failure): void {
    const { isLive, onFailure } = this.#options;
    this.#unanswered = failure;
    this.#lastOutput += failureText(failure.error);
    if (isLive) onFailure(failure.error);
  }

  /** A failed input that no `?fails` spoke for is a failure of the script. */
  #settle(): void {
    const failure = this.#unanswered;
    this.#unanswered = undefined;
    if (failure === undefined) return;
    this.#failures.push(failure);
    if (!this.#options.isLive) this.#options.onFailure(failure.error);
  }

  #fail(failure: Failure): void {
    this.#failures.push(failure);
    this.#options.onFailure(failure.error);
  }

  /** @throws what was thrown because the script was told to end */
  #failure(thrown: unknown, line?: number): Failure {
    const { name, signal } = this.#options;
    signal.throwIfAborted();
    const error = asAgnoChatError(thrown);
    const place = line === undefined ? name : `${name}:${line}`;
    return { line, error: error.with({ message: `${place}: ${error.message}` }) };
  }
}

/** Parsed first: what a variable holds never becomes a command. */
const withVariables = (input: Input, env: Io["env"]): Input =>
  input.kind === "message"
    ? { ...input, text: expandVariables(input.text, env) }
    : { ...input, argument: expandVariables(input.argument, env) };

const unendedBlock = (): AgnoChatError =>
  new AgnoChatError("USAGE", "The block that begins here never ends.", {
    hint: 'End it with a line that holds """ alone.',
  });
