/** The tags models put around their thoughts. White space and case vary. */
const TAGS = [
  ...["think", "thinking", "thought", "reasoning"].map((name) => [`<${name}>`, `</${name}>`]),
  ["[think]", "[/think]"],
  ["◁think▷", "◁/think▷"],
  ["<|channel|>analysis<|message|>", "<|channel|>final<|message|>"],
  ["<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final<|message|>"],
].map(([opening = "", closing = ""]) => ({ opening, closing }));

/** Longer than any tag, with room for white space inside it. */
export const LONGEST_TAG = 120;

const patternOf = (tag: string): string =>
  [...tag].map((character) => character.replace(/[[\]|]/g, "\\$&")).join("\\s*");

const anyOf = (tags: readonly string[]): RegExp =>
  new RegExp([...new Set(tags)].map(patternOf).join("|"), "gi");

const ANY_OPENING = anyOf(TAGS.map(({ opening }) => opening));
const ANY_CLOSING = anyOf(TAGS.map(({ closing }) => closing));

/**
 * The opening tag at the start of a text: where it ends, and what closes it. `maybe` if more text
 * could still complete one.
 */
export function openingOf(text: string): { end: number; closing: RegExp } | "maybe" | "none" {
  let seen = "";
  for (let at = 0; at < text.length && at < LONGEST_TAG; at += 1) {
    const character = text[at]?.toLowerCase() ?? "";
    if (/\s/.test(character)) continue;
    seen += character;
    const tag = TAGS.find(({ opening }) => opening === seen);
    if (tag) return { end: at + 1, closing: new RegExp(patternOf(tag.closing), "i") };
    if (!TAGS.some(({ opening }) => opening.startsWith(seen))) return "none";
  }
  return text.length < LONGEST_TAG ? "maybe" : "none";
}

/** A text that mentions the tags more often is about the tags. */
const MAX_MENTIONS = 20;

/**
 * Drops leading thoughts whose opening tag was never sent. A closing tag that the answer only
 * mentions, in code, in quotes or as a word in a sentence, does not count.
 */
export function stripUnopenedThoughts(text: string, callsFollow: boolean): string {
  const opened = text.search(ANY_OPENING);
  let mentions = 0;
  for (const { 0: tag, index } of text.matchAll(ANY_CLOSING)) {
    if ((opened >= 0 && opened < index) || mentions === MAX_MENTIONS) return text;
    const before = text.slice(0, index);
    const after = text.slice(index + tag.length);
    // A text of thoughts alone is shown rather than lost.
    if (!isMention(before, after) && (callsFollow || after.trim() !== "")) return after.trimStart();
    mentions += 1;
  }
  return text;
}

function isMention(before: string, after: string): boolean {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  if (count(before, /^ {0,3}(```|~~~)/gm) % 2 === 1 || count(line, /`/g) % 2 === 1) return true;
  const endsLine = /^[ \t\r]*(\n|$)/.test(after);
  const isBehindText = /(^\s*|[^\s"'“‘«([`/|])$/u.test(line);
  const isBehindSentence = endsLine && /[.!?…][ \t]+$/.test(line);
  const isBeforeText = endsLine || /^[^\s"'”’»)\]`.,;:!?|<]/u.test(after);
  return !((isBehindText || isBehindSentence) && isBeforeText);
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
