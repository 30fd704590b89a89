import type { AgnoChatError } from "../../errors.js";
import { ERROR_TABLE } from "../../errors.js";
import { openMemory } from "../../memory/open.js";
import type { Model } from "../../models/model.js";
import type { Context } from "../context.js";
import { openRepl } from "../repl/open-repl.js";
import { count } from "../words.js";
import { linesOf } from "./lines.js";
import { runScript, type Verdict } from "./run-script.js";
import { ScriptScreen } from "./script-screen.js";

export interface Transcript {
  /** As it stands in front of a line number. */
  readonly name: string;
  readonly source: AsyncIterable<Uint8Array | string>;
  readonly model: Model;
  readonly store: string;
  readonly keepGoing: boolean;
  /** Show every input behind its prompt, and the replies indented. */
  readonly echo: boolean;
}

/**
 * Runs a script of the REPL, shows what comes of it, and sums up in one line.
 * @returns the exit code of its first failure, else 0
 */
export async function transcript(context: Context, script: Transcript): Promise<number> {
  const { io, signal, output, options } = context;
  const { name, model, source, keepGoing, echo } = script;
  const screen = new ScriptScreen(output, echo ? "  " : "");
  const memory = await openMemory(script.store);
  try {
    const repl = await openRepl(context, { memory, model, screen });
    const prompted = (text: string) =>
      output.write(`${text.replace(/^/gm, `${repl.active.userId}> `)}\n`);
    const onFailure = (failure: AgnoChatError) => options.json || output.failure(failure);
    const verdict = await runScript({
      ...{ repl, screen, name, keepGoing, signal, onFailure, env: io.env },
      lines: linesOf(source),
      ...(echo ? { onInput: prompted } : {}),
    });
    signal.throwIfAborted();
    report(context, script, verdict);
    const [first] = verdict.failures;
    return first === undefined ? 0 : ERROR_TABLE[first.code].exit;
  } finally {
    await memory.close();
  }
}

function report({ output, options }: Context, { name, echo }: Transcript, verdict: Verdict): void {
  const { inputs, expectations, failures } = verdict;
  if (options.json) {
    const listed = failures.map(({ code, message, hint }) => ({
      code,
      message,
      hint: hint ?? null,
    }));
    output.document({
      ok: failures.length === 0,
      script: name,
      inputs,
      expectations,
      failures: listed,
    });
  } else if (echo || expectations > 0)
    output.note(
      `${name}: ${count(inputs, "input")}, ${count(expectations, "expectation")}, ${failures.length} failed.`,
    );
}
