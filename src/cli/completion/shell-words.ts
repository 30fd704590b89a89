/** A command line up to the cursor. */
export interface TypedLine {
  /** The words before the one at the cursor, without quotes and backslashes. */
  readonly words: readonly string[];
  /** The part of the word at the cursor that is typed, without quotes and backslashes. */
  readonly current: string;
  /** The quote that is open at the cursor; empty if none is. */
  readonly quote: "" | "'" | '"';
}

/** Reads a line as a shell does. Variables and substitutions are left as they are. */
export function typedLine(line: string): TypedLine {
  const words: string[] = [];
  let current: string | undefined;
  let quote: TypedLine["quote"] = "";
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    const next = line.charAt(index + 1);
    if (quote === "" && /\s/.test(character)) {
      if (current !== undefined) words.push(current);
      current = undefined;
      continue;
    }
    current ??= "";
    if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = "";
    else if (character === "\\" && isEscape(quote, next)) {
      current += next;
      index++;
    } else current += character;
  }
  return { words, current: current ?? "", quote };
}

const isEscape = (quote: TypedLine["quote"], next: string): boolean =>
  quote === "" || (quote === '"' && /["$`\\]/.test(next));

/** Writes `text` so that bash reads it as it is where `quote` is open. */
export function quotedFor(quote: TypedLine["quote"], text: string): string {
  if (quote === "'") return text.replaceAll("'", "'\\''");
  // History expansion ignores double quotes.
  if (quote === '"') return text.replace(/["$`\\]/g, "\\$&").replaceAll("!", '"\\!"');
  return text.replace(/[^\w@%+=:,./\u0080-\u{10ffff}-]/gu, "\\$&");
}
