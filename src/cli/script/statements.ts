import { AgnoChatError } from "../../errors.js";

/** One step of a script. `line` counts from 1. */
export type Statement =
  | {
      readonly kind: "input";
      readonly line: number;
      readonly text: string;
      readonly literal: boolean;
    }
  | {
      readonly kind: "expectation";
      readonly line: number;
      readonly word: string;
      readonly argument: string;
    };

const FENCE = '"""';

/**
 * The steps of a script, each as soon as its line is there: `#` begins a comment, `"""` begins and ends a block that is
 * one message whatever it holds, `?word` is an expectation, anything else an input as in the REPL.
 * @throws {AgnoChatError} `USAGE` for a block that never ends
 */
export async function* statementsOf(lines: AsyncIterable<string>): AsyncGenerator<Statement> {
  let line = 0;
  let block: { readonly line: number; readonly rows: string[] } | undefined;
  for await (const text of lines) {
    line++;
    const trimmed = text.trim();
    if (block !== undefined) {
      if (trimmed !== FENCE) block.rows.push(text);
      else {
        yield { kind: "input", line: block.line, text: block.rows.join("\n"), literal: true };
        block = undefined;
      }
    } else if (trimmed === FENCE) block = { line, rows: [] };
    else if (trimmed !== "" && !trimmed.startsWith("#")) yield statementOf(trimmed, line);
  }
  if (block !== undefined) throw unended(block.line);
}

function statementOf(text: string, line: number): Statement {
  const [, word, argument = ""] = /^\?([a-z-]+)(?:\s+(.*))?$/.exec(text) ?? [];
  return word === undefined
    ? { kind: "input", line, text, literal: false }
    : { kind: "expectation", line, word, argument };
}

const unended = (line: number): AgnoChatError =>
  new AgnoChatError("USAGE", `The block that begins in line ${line} never ends.`, {
    hint: `End it with a line that holds ${FENCE} alone.`,
  });
