/** Opens and closes a block of several lines. Stands alone on a line, or at its start or end. */
const FENCE = '"""';

/** Whether `text` opens a block and does not close it. */
export function isOpenBlock(text: string): boolean {
  const [first = "", ...others] = text.split("\n");
  return opens(first) && !closes(others.at(-1) ?? "");
}

/**
 * The content of `text` if all of it is one closed block, text beside the marks included;
 * otherwise undefined.
 */
export function blockContent(text: string): string | undefined {
  const [first = "", ...others] = text.split("\n");
  const last = others.pop();
  if (last === undefined || !opens(first) || !closes(last)) return undefined;
  const edges = [first, last].map((line) => line.replace(FENCE, "").trimEnd());
  const [before = "", after = ""] = edges;
  return [...(before === "" ? [] : [before]), ...others, ...(after === "" ? [] : [after])].join(
    "\n",
  );
}

/** Whether the mark comes first: then the content is never a command. */
export const beginsWithMark = (text: string): boolean => text.startsWith(FENCE);

/** A mark is the only one on its line, so a quoted word does not count. */
const opens = (line: string): boolean =>
  isSingle(line) && (line.startsWith(FENCE) || line.trimEnd().endsWith(FENCE));

const closes = (line: string): boolean => isSingle(line) && line.trimEnd().endsWith(FENCE);

const isSingle = (line: string): boolean => line.split(FENCE).length === 2;

/** `text` as a block, so that it is never taken for a command. */
export function asBlock(text: string): string {
  return [FENCE, text, FENCE].join("\n");
}

/** Whether `text`, recalled from the history without block marks, may be taken for a command. */
export function looksLikeCommand(text: string): boolean {
  return !text.includes("\n") || text.trimStart().startsWith("/");
}
