import { trimTyped } from "../chat/chat-input.js";

/** One step of a script. `line` counts from 1; for a block it is the first line. */
export type Statement = { readonly line: number } & (
  | { readonly kind: "comment"; readonly text: string }
  | {
      readonly kind: "input";
      readonly text: string;
      /** Always a message, even if it begins with a slash. */
      readonly literal: boolean;
    }
  | { readonly kind: "expectation"; readonly word: string; readonly argument: string }
  | { readonly kind: "unended-block" }
);

/** Longer ones enclose a message that has a line of shorter ones. */
const FENCE = /^"{3,}$/;

/**
 * Parses a script, step by step as its lines arrive. `#` begins a comment, `?word` is an
 * expectation, lines between two `"""` lines are one message, and anything else is an input as in
 * the REPL.
 */
export async function* statementsOf(lines: AsyncIterable<string>): AsyncGenerator<Statement> {
  let line = 0;
  let block: { readonly line: number; readonly fence: string; readonly rows: string[] } | undefined;
  for await (const text of lines) {
    line++;
    const trimmed = trimTyped(text);
    if (block !== undefined) {
      if (trimmed !== block.fence) block.rows.push(text);
      else {
        yield { kind: "input", line: block.line, text: block.rows.join("\n"), literal: true };
        block = undefined;
      }
    } else if (FENCE.test(trimmed)) block = { line, fence: trimmed, rows: [] };
    else if (trimmed !== "") yield { ...statementOf(trimmed), line };
  }
  if (block !== undefined) yield { kind: "unended-block", line: block.line };
}

/** A line that begins with `?` is never a message, so that a mistyped expectation is noticed. */
function statementOf(text: string) {
  if (text.startsWith("#")) return { kind: "comment", text: text.slice(1).trim() } as const;
  const [, word, argument = ""] = /^\?(\S+)(?:\s+(.*))?$/.exec(text) ?? [];
  return word === undefined
    ? ({ kind: "input", text, literal: false } as const)
    : ({ kind: "expectation", word, argument } as const);
}
