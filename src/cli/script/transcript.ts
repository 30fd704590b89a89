import { addAbortSignal, type Readable } from "node:stream";
import { ERROR_TABLE } from "../../errors.js";
import { openMemory } from "../../memory/open.js";
import type { Model } from "../../models/model.js";
import { openRepl } from "../chat/open-repl.js";
import type { Context } from "../context.js";
import { failureDocument } from "../failure-text.js";
import { typedInputIn } from "../terminal/typed-input.js";
import { count } from "../words.js";
import { PLAIN } from "./layout.js";
import { linesOf } from "./lines.js";
import { runScript, type Verdict } from "./run-script.js";
import { ScriptScreen } from "./script-screen.js";

export interface Transcript {
  /** As it stands in front of a line number. */
  readonly name: string;
  readonly source: Readable;
  readonly model: Model;
  readonly store: string;
  /** Whether the data in the home folder is the script's to change: `/clear` then takes typed input along. */
  readonly ownsHome: boolean;
  /** Whether `/clear` may go ahead: nobody can be asked. */
  readonly mayDelete: boolean;
  readonly keepGoing: boolean;
  /** Show the whole conversation; else only the answers, as they are needed by whoever writes the lines. */
  readonly echo: boolean;
}

/**
 * Runs a script of the REPL, shows what comes of it, and sums up in one line.
 * @returns the exit code of its first failure, else 0
 */
export async function transcript(context: Context, script: Transcript): Promise<number> {
  const { io, signal, output, options } = context;
  const { name, model, keepGoing } = script;
  const echo = script.echo ? (await import("./echo.js")).createEcho(context) : undefined;
  const input = script.ownsHome ? typedInputIn(context.home) : undefined;
  const screen = new ScriptScreen({
    output,
    layout: echo?.layout ?? PLAIN,
    mayDelete: script.mayDelete,
    forgetInput: (userId) => input?.remove(userId),
  });
  const memory = await openMemory(script.store, { notice: (line) => output.note(line) });
  try {
    const repl = await openRepl(context, { memory, model, screen });
    const verdict = await runScript({
      ...{ repl, screen, name, keepGoing, signal, env: io.env, isLive: !script.echo },
      lines: linesOf(addAbortSignal(signal, script.source)),
      onStatement: (statement) => echo?.show(statement, repl.active),
      onFailure: (failure) => options.json || output.failure(failure),
    });
    report(context, script, verdict);
    const [first] = verdict.failures;
    return first === undefined ? 0 : ERROR_TABLE[first.error.code].exit;
  } finally {
    await memory.close();
  }
}

function report({ output, options }: Context, { name, echo }: Transcript, verdict: Verdict): void {
  const { inputs, expectations, failures } = verdict;
  if (options.json) {
    const [first] = failures;
    output.document({
      ok: first === undefined,
      ...(first === undefined ? {} : { error: failureDocument(first.error) }),
      ...{ script: name, inputs, expectations },
      failures: failures.map(({ line, error }) => ({
        line: line ?? null,
        ...failureDocument(error),
      })),
    });
  } else if (echo || expectations > 0)
    output.note(
      `${name}: ${count(inputs, "input")}, ${count(expectations, "expectation")}, ${failures.length} failed.`,
    );
}
