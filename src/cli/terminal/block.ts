/** Opens and closes a block of many lines: alone on a line, or at the end of one. */
const FENCE = '"""';

/** Whether `text` begins a block that is not closed yet. */
export function isOpenBlock(text: string): boolean {
  const [first = "", ...others] = text.split("\n");
  return opens(first) && !closes(others.at(-1) ?? "");
}

/** What is inside `text` when all of it is one closed block, and what stands around its marks; else undefined. */
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

/** Whether nothing stands in front of the mark: then what is inside is text, whatever it begins with. */
export const beginsWithMark = (text: string): boolean => text.startsWith(FENCE);

/** A word in quotes is no mark: what opens or closes stands on its line without a partner. */
const opens = (line: string): boolean =>
  isSingle(line) && (line.startsWith(FENCE) || line.trimEnd().endsWith(FENCE));

const closes = (line: string): boolean => isSingle(line) && line.trimEnd().endsWith(FENCE);

const isSingle = (line: string): boolean => line.split(FENCE).length === 2;

/** `text` as it would be typed so that it is taken as text, whatever it begins with. */
export function asBlock(text: string): string {
  return [FENCE, text, FENCE].join("\n");
}

/** Without its frame of a block, `text` from the history could be taken for a command. */
export function looksLikeCommand(text: string): boolean {
  return !text.includes("\n") || text.trimStart().startsWith("/");
}
