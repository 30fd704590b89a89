import { setImmediate as nextTurn } from "node:timers/promises";
import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import { type Input, parseInput } from "../chat/chat-input.js";
import { handle } from "../chat/handle-input.js";
import type { Repl } from "../chat/repl.js";
import { failureText } from "../failure-text.js";
import type { Io } from "../io.js";
import { check, type StepResult } from "./expectations.js";
import type { ScriptScreen } from "./script-screen.js";
import { type Statement, statementsOf } from "./statements.js";
import { expandVariables } from "./variables.js";

export interface ScriptRunOptions {
  readonly repl: Repl;
  readonly screen: ScriptScreen;
  /** Names the script in error messages, in front of the line number. */
  readonly name: string;
  readonly lines: AsyncIterable<string>;
  readonly env: Io["env"];
  readonly signal: AbortSignal;
  /** Go on after a failure. */
  readonly keepGoing: boolean;
  /**
   * The writer of the script may wait for each answer, so a failed input is reported at once, even
   * though the next line may expect it.
   */
  readonly isLive: boolean;
  /** Called with every statement before it runs. */
  readonly onStatement?: (statement: Statement) => void;
  readonly onFailure: (failure: AgnoChatError) => void;
}

export interface ScriptFailure {
  /** Undefined when the failure belongs to no line. */
  readonly line: number | undefined;
  /** Its message names the line. */
  readonly error: AgnoChatError;
}

export interface Verdict {
  readonly inputs: number;
  readonly expectations: number;
  /** In the order of the lines. */
  readonly failures: readonly ScriptFailure[];
}

/**
 * Runs a script strictly one line after the other, until its end, `/exit`, or a failure unless
 * `keepGoing` is set.
 * @throws the reason of `signal`, as soon as it aborts
 */
export async function runScript(options: ScriptRunOptions): Promise<Verdict> {
  return new ScriptRun(options).run();
}

class ScriptRun {
  readonly #options: ScriptRunOptions;
  readonly #failures: ScriptFailure[] = [];
  /** The failed input, if the next statement may still expect the failure. */
  #failedInput: FailedInput | undefined;
  /** A switch of the user or session failed, so further lines would be said as somebody else. */
  #hasWrongSpeaker = false;
  #lastOutput = "";
  #inputs = 0;
  #expectations = 0;

  constructor(options: ScriptRunOptions) {
    this.#options = options;
  }

  async run(): Promise<Verdict> {
    const { repl, lines, signal } = this.#options;
    try {
      for await (const statement of statementsOf(lines)) {
        // Lets signals and a closed pipe be noticed even if the model answers at once.
        await nextTurn(undefined, { signal });
        await this.#step(statement);
        if (this.#isDecided || repl.isOver) break;
      }
    } catch (thrown) {
      const failure = this.#failure(thrown);
      this.#settleFailedInput();
      if (!this.#isDecided) this.#fail(failure);
    }
    this.#settleFailedInput();
    return { inputs: this.#inputs, expectations: this.#expectations, failures: this.#failures };
  }

  get #isDecided(): boolean {
    return this.#failures.length > 0 && (!this.#options.keepGoing || this.#hasWrongSpeaker);
  }

  async #step(statement: Statement): Promise<void> {
    const isAboutFailure =
      statement.kind === "comment" ||
      (statement.kind === "expectation" && statement.word === "fails");
    if (!isAboutFailure) this.#settleFailedInput();
    if (this.#isDecided) return;
    this.#options.onStatement?.(statement);
    try {
      if (statement.kind === "input") await this.#input(statement);
      else if (statement.kind === "expectation") await this.#expect(statement);
      else if (statement.kind === "unended-block") throw unendedBlock();
    } catch (thrown) {
      const failure = this.#failure(thrown, statement.line);
      if (statement.kind === "input")
        this.#hold({ ...failure, isSwitch: isSwitch(statement) }, thrown);
      else this.#fail(failure);
    }
  }

  async #input({ text, literal }: Statement & { kind: "input" }): Promise<void> {
    const { repl, screen, env, signal } = this.#options;
    this.#inputs++;
    screen.takeLast();
    try {
      const input = withVariables(parseInput(text, literal), env);
      await handle(repl, input, { speaker: repl.active, signal });
    } finally {
      this.#lastOutput = screen.takeLast();
    }
  }

  async #expect({ word, argument }: Statement & { kind: "expectation" }): Promise<void> {
    const { repl, screen, env, isLive } = this.#options;
    this.#expectations++;
    const { userId, sessionId } = repl.active;
    const failure = this.#failedInput?.error;
    this.#failedInput = undefined;
    const outcome: StepResult = {
      output: this.#lastOutput,
      size: async () => repl.memory.size(userId, { sessionId }),
      failure,
    };
    const fault = await check(word, expandVariables(argument, env), outcome);
    if (fault !== undefined) throw new AgnoChatError("EXPECTATION_FAILED", fault);
    if (failure !== undefined && !isLive) screen.print(`${failureText(failure)}\n`);
  }

  /**
   * Keeps a failed input until it is known whether it was expected. What `thrown` says is output of
   * it, without the line of the script, which may move.
   */
  #hold(failure: FailedInput, thrown: unknown): void {
    const { isLive, onFailure } = this.#options;
    this.#failedInput = failure;
    const before = this.#lastOutput.replace(/[^\n]$/, "$&\n");
    this.#lastOutput = before + failureText(asAgnoChatError(thrown));
    if (isLive) onFailure(failure.error);
  }

  /** A failed input without a `?fails` is a failure of the script. */
  #settleFailedInput(): void {
    const failure = this.#failedInput;
    this.#failedInput = undefined;
    if (failure === undefined) return;
    this.#failures.push(failure);
    this.#hasWrongSpeaker ||= failure.isSwitch;
    if (!this.#options.isLive) this.#options.onFailure(failure.error);
  }

  #fail(failure: ScriptFailure): void {
    this.#failures.push(failure);
    this.#options.onFailure(failure.error);
  }

  /** @throws the reason of `signal` when the script was aborted */
  #failure(thrown: unknown, line?: number): ScriptFailure {
    const { name, signal } = this.#options;
    signal.throwIfAborted();
    const error = asAgnoChatError(thrown);
    const label = line === undefined ? name : `${name}:${line}`;
    return { line, error: error.with({ message: `${label}: ${error.message}` }) };
  }
}

interface FailedInput extends ScriptFailure {
  readonly isSwitch: boolean;
}

function isSwitch({ text, literal }: Statement & { kind: "input" }): boolean {
  const input = parseInput(text, literal);
  return input.kind === "command" && ["user", "session", "new"].includes(input.name);
}

/** Expands variables after parsing, so that their values never become commands. */
const withVariables = (input: Input, env: Io["env"]): Input =>
  input.kind === "message"
    ? { ...input, text: expandVariables(input.text, env) }
    : { ...input, argument: expandVariables(input.argument, env) };

const unendedBlock = (): AgnoChatError =>
  new AgnoChatError("USAGE", "The block that begins here is never closed.", {
    hint: 'Close it with a line that holds only """.',
  });
