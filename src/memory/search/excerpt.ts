import { latePattern } from "../../late-pattern.js";
import type { ExcerptPart } from "../memory.js";
import { fold, foldWithOrigins } from "./fold.js";

/** UTF-16 units of an excerpt, and of what stands before its first match. */
const LENGTH = 160;
const BEFORE = 40;

/** A long text is searched in pieces of this size, which overlap by the longest term. */
const PIECE = 4_000;

/**
 * The part of the text with the most of these terms, with every occurrence marked. White space is
 * one space; "…" stands for what is left out.
 */
export function excerptOf(content: string, terms: readonly string[]): readonly ExcerptPart[] {
  const [start, end] = bestPiece(content, terms);
  const { folded, origins } = foldWithOrigins(content.slice(start, end));
  const marks = marksIn(folded, terms);
  const first = bestStart(marks);
  const from = Math.max(0, (marks[first]?.start ?? 0) - BEFORE);
  const to = Math.max(from + LENGTH, marks[first]?.end ?? 0);

  const at = (index: number) => start + (origins[Math.min(index, folded.length)] as number);
  const endAt = (index: number) => {
    const last = at(index - 1);
    let next = index;
    while (next < folded.length && at(next) === last) next += 1;
    return characterStart(content, at(next));
  };
  const firstMatch = at(marks[first]?.start ?? 0);
  // The beginning of a text may fold to nothing, and a match may begin inside of a character.
  const whole = start + from === 0 ? 0 : Math.min(firstMatch, characterStart(content, at(from)));
  const cut = {
    from: wordStart(content, whole, firstMatch),
    to: characterStart(content, at(to)),
  };
  const shown = marks.filter((mark) => at(mark.start) >= cut.from && mark.end <= from + LENGTH);
  const parts: ExcerptPart[] = [];
  let done = cut.from;
  const take = (until: number, isMatch: boolean): void => {
    const text = content.slice(done, until).replace(/\s+/g, " ");
    if (text !== "") parts.push(isMatch ? { text, isMatch } : { text });
    done = Math.max(done, until);
  };
  if (cut.from > 0) parts.push({ text: "…" });
  for (const mark of shown.length > 0 ? shown : marks.slice(first, first + 1)) {
    take(at(mark.start), false);
    take(endAt(mark.end), true);
  }
  take(cut.to, false);
  if (cut.to < content.length) parts.push({ text: "…" });
  return joined(parts);
}

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly term: string;
}

/** The first piece that has the most terms; the whole text if each term crosses pieces. */
function bestPiece(content: string, terms: readonly string[]): readonly [number, number] {
  const overlap = Math.max(...terms.map(({ length }) => length)) * 2 + LENGTH;
  let best: readonly [number, number] = [0, content.length];
  let most = 0;
  for (let start = 0; start < content.length && most < terms.length; start += PIECE) {
    const end = Math.min(content.length, start + PIECE + overlap);
    const folded = fold(content.slice(start, end));
    const found = terms.filter((term) => folded.includes(term)).length;
    if (found > most) [best, most] = [[Math.max(0, start - BEFORE), end], found];
  }
  return best;
}

/** Every occurrence, in order; of two that overlap the first. */
function marksIn(folded: string, terms: readonly string[]): readonly Mark[] {
  const all = terms.flatMap((term) => {
    const marks: Mark[] = [];
    for (let start = folded.indexOf(term); start !== -1; start = folded.indexOf(term, start + 1))
      marks.push({ start, end: start + term.length, term });
    return marks;
  });
  all.sort((left, right) => left.start - right.start || right.end - left.end);
  let end = 0;
  return all.filter((mark) => {
    if (mark.start < end) return false;
    end = mark.end;
    return true;
  });
}

/** The mark from which an excerpt shows the most different terms. */
function bestStart(marks: readonly Mark[]): number {
  let best = 0;
  let most = 0;
  for (const [index, { start }] of marks.entries()) {
    const terms = new Set<string>();
    for (let next = index; next < marks.length; next += 1) {
      const mark = marks[next] as Mark;
      if (mark.end > start + LENGTH - BEFORE) break;
      terms.add(mark.term);
    }
    if (terms.size > most) [best, most] = [index, terms.size];
  }
  return best;
}

/** The next index that is not inside of a character or before a mark that belongs to it. */
function characterStart(text: string, index: number): number {
  let next = index;
  while (next > 0 && next < text.length && continues().test(text.charAt(next))) next += 1;
  return next;
}

/** Where the next word begins, if one does before `end`; the beginning of a text is one. */
function wordStart(text: string, index: number, end: number): number {
  const space = index === 0 ? -1 : text.slice(index, end).search(/\s\S/);
  return space === -1 ? index : index + space + 1;
}

const continues = latePattern(String.raw`^[\p{M}\udc00-\udfff\u200d]`, "u");

/** Joins neighbours of one kind. */
function joined(parts: readonly ExcerptPart[]): readonly ExcerptPart[] {
  const all: ExcerptPart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (last === undefined || last.isMatch !== part.isMatch) all.push(part);
    else all[all.length - 1] = { ...last, text: last.text + part.text };
  }
  return all;
}
