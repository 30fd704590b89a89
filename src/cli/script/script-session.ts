import { addAbortSignal, type Readable } from "node:stream";
import { ERROR_TABLE } from "../../errors.js";
import { openMemory } from "../../memory/open-memory.js";
import type { Model } from "../../models/model.js";
import { openRepl } from "../chat/open-repl.js";
import type { Context } from "../command-context.js";
import { failureDocument } from "../failure-text.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { count } from "../words.js";
import { PLAIN } from "./layout.js";
import { runScript, type Verdict } from "./run-script.js";
import { linesOf } from "./script-lines.js";
import { ScriptScreen } from "./script-screen.js";

export interface ScriptSession {
  /** Names the script in error messages, in front of the line number. */
  readonly name: string;
  readonly source: Readable;
  readonly model: Model;
  readonly store: string;
  /** Whether `/clear` also deletes the typed input in the home folder. */
  readonly ownsHome: boolean;
  /** Whether `/clear` may delete, since a script cannot be asked. */
  readonly mayDelete: boolean;
  readonly keepGoing: boolean;
  /** Show the script together with the answers; otherwise only the answers. */
  readonly echo: boolean;
}

/**
 * Runs a chat script, shows its output and prints a one-line summary.
 * @returns the exit code of the first failure, or 0
 */
export async function runScriptSession(context: Context, script: ScriptSession): Promise<number> {
  const { io, signal, output, options } = context;
  const { name, model, keepGoing } = script;
  const echo = script.echo ? (await import("./echo.js")).createEcho(context) : undefined;
  const input = script.ownsHome ? inputFilesIn(context.home) : undefined;
  const screen = new ScriptScreen({
    output,
    layout: echo?.layout ?? PLAIN,
    mayDelete: script.mayDelete,
    forgetInput: (userId) => input?.remove(userId),
  });
  const memory = await openMemory(script.store, { notice: (line) => output.note(line) });
  try {
    const repl = await openRepl(context, {
      memory,
      model,
      screen,
      lease: needsLease(context, script),
    });
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

/** A lease that no flag asks for is meant for the store in the settings, not for a script's own. */
const needsLease = (
  { settings: { values, origins } }: Context,
  { store }: ScriptSession,
): boolean => values.lease && (origins.lease === "flag" || store === values.store);

function report(
  { output, options }: Context,
  { name, echo }: ScriptSession,
  verdict: Verdict,
): void {
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
