import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { Io } from "../io.js";
import { handle } from "../repl/handle.js";
import { parseInput } from "../repl/input.js";
import type { Repl } from "../repl/repl.js";
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
  /** Called before an input is done. */
  readonly onInput?: (text: string) => void;
  readonly onFailure: (failure: AgnoChatError) => void;
}

export interface Verdict {
  readonly inputs: number;
  readonly expectations: number;
  /** In the order of the lines; each names its line. */
  readonly failures: readonly AgnoChatError[];
}

/** Runs a script strictly one line after the other, up to its end, its first failure, or `/exit`. */
export async function runScript(options: ScriptOptions): Promise<Verdict> {
  return new ScriptRun(options).run();
}

class ScriptRun {
  readonly #options: ScriptOptions;
  readonly #failures: AgnoChatError[] = [];
  /** An input that failed: whether that is a failure of the script, its next statement says. */
  #unanswered: AgnoChatError | undefined;
  #lastOutput = "";
  #inputs = 0;
  #expectations = 0;

  constructor(options: ScriptOptions) {
    this.#options = options;
  }

  async run(): Promise<Verdict> {
    const { repl, lines, name } = this.#options;
    try {
      for await (const statement of statementsOf(lines)) {
        await this.#step(statement);
        if (this.#isDecided || repl.isOver) break;
      }
    } catch (thrown) {
      this.#fail(at(name, undefined, asAgnoChatError(thrown)));
    }
    this.#settle();
    return { inputs: this.#inputs, expectations: this.#expectations, failures: this.#failures };
  }

  get #isDecided(): boolean {
    const { keepGoing, signal } = this.#options;
    return signal.aborted || (this.#failures.length > 0 && !keepGoing);
  }

  async #step(statement: Statement): Promise<void> {
    const answersFailure = statement.kind === "expectation" && statement.word === "fails";
    if (!answersFailure) this.#settle();
    if (this.#isDecided) return;
    try {
      if (statement.kind === "expectation") await this.#expect(statement);
      else await this.#input(statement);
    } catch (thrown) {
      const failure = at(this.#options.name, statement.line, asAgnoChatError(thrown));
      if (statement.kind === "input") this.#unanswered = failure;
      else this.#fail(failure);
    }
  }

  async #input({ text, literal }: Statement & { kind: "input" }): Promise<void> {
    const { repl, screen, env, signal, onInput } = this.#options;
    this.#inputs++;
    screen.takeLast();
    onInput?.(text);
    try {
      const input = parseInput(expandVariables(text, env), literal);
      await handle(repl, input, { who: repl.active, signal });
    } finally {
      this.#lastOutput = screen.takeLast();
    }
  }

  async #expect({ word, argument }: Statement & { kind: "expectation" }): Promise<void> {
    const { repl, env } = this.#options;
    this.#expectations++;
    const { userId, sessionId } = repl.active;
    const outcome: Outcome = {
      output: this.#lastOutput,
      size: async () => repl.memory.size(userId, { sessionId }),
      failure: this.#unanswered?.code,
    };
    const fault = await check(word, expandVariables(argument, env), outcome);
    if (word === "fails") this.#unanswered = undefined;
    if (fault !== undefined) throw new AgnoChatError("EXPECTATION_FAILED", fault);
  }

  /** A failed input that no `?fails` spoke for is a failure of the script. */
  #settle(): void {
    if (this.#unanswered !== undefined) this.#fail(this.#unanswered);
    this.#unanswered = undefined;
  }

  #fail(failure: AgnoChatError): void {
    this.#failures.push(failure);
    this.#options.onFailure(failure);
  }
}

function at(
  name: string,
  line: number | undefined,
  { code, message, hint, cause }: AgnoChatError,
): AgnoChatError {
  const place = line === undefined ? name : `${name}:${line}`;
  return new AgnoChatError(code, `${place}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}
