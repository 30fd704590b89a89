/** A line of its own that opens and closes a block of many lines. */
const FENCE = '"""';

/** Whether `text` begins a block that is not closed yet. */
export function isOpenBlock(text: string): boolean {
  const lines = text.split("\n");
  return lines[0] === FENCE && (lines.length === 1 || lines.at(-1) !== FENCE);
}

/** What is inside `text` when all of it is one closed block, else undefined. */
export function blockContent(text: string): string | undefined {
  const lines = text.split("\n");
  if (lines.length < 2 || lines[0] !== FENCE || lines.at(-1) !== FENCE) return undefined;
  return lines.slice(1, -1).join("\n");
}

/** `text` as it would be typed so that it is taken as text, whatever it begins with. */
export function asBlock(text: string): string {
  return [FENCE, text, FENCE].join("\n");
}

/** Without its frame of a block, `text` from the history could be taken for a command. */
export function looksLikeCommand(text: string): boolean {
  return !text.includes("\n") || text.trimStart().startsWith("/");
}
