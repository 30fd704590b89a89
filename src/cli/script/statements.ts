/** One step of a script. `line` counts from 1; of a block it is the line where the block begins. */
export type Statement = { readonly line: number } & (
  | { readonly kind: "comment"; readonly text: string }
  | {
      readonly kind: "input";
      readonly text: string;
      /** A message whatever it begins with. */
      readonly literal: boolean;
    }
  | { readonly kind: "expectation"; readonly word: string; readonly argument: string }
  | { readonly kind: "unended-block" }
);

const FENCE = '"""';

/**
 * The steps of a script, each as soon as its line is there: `#` begins a comment, `"""` begins and ends a block that is
 * one message whatever it holds, `?word` is an expectation, anything else an input as in the REPL.
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
    else if (trimmed !== "") yield { ...statementOf(trimmed), line };
  }
  if (block !== undefined) yield { kind: "unended-block", line: block.line };
}

/** What begins with `?` is never a message: a mistyped expectation would pass as one. */
function statementOf(text: string) {
  if (text.startsWith("#")) return { kind: "comment", text: text.slice(1).trim() } as const;
  const [, word, argument = ""] = /^\?(\S+)(?:\s+(.*))?$/.exec(text) ?? [];
  return word === undefined
    ? ({ kind: "input", text, literal: false } as const)
    : ({ kind: "expectation", word, argument } as const);
}
