import { parseInput, trimTyped } from "./chat-input.js";

/** The lines of a script that send `text` as a message, whatever it holds. */
export function messageLines(text: string): readonly string[] {
  const escaped = withoutVariables(text);
  if (isPlainLine(escaped)) return [escaped];
  const rows = escaped.split("\n");
  let fence = '"""';
  while (rows.some((row) => trimTyped(row) === fence)) fence += '"';
  return [fence, ...rows, fence];
}

/** Whether a script reads this as one line, and as this message. */
const isPlainLine = (text: string): boolean =>
  text !== "" &&
  trimTyped(text) === text &&
  !/^[#?/]|[\r\n]|^"{3,}$/.test(text) &&
  parseInput(text).kind === "message";

/** Escapes what a script would replace by a variable of the environment. */
export const withoutVariables = (text: string): string =>
  text.replace(/\$\{[A-Z_][A-Z0-9_]*\}/g, "$$$&");
