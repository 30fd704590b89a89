/**
 * A gram is one, two or three UTF-16 units in a row, as a 32-bit hash. A text that contains a term
 * has all grams of the term, so parts of words are found in every script. Three in a row of scripts
 * with thousands of characters are left out: two of those tell as much.
 *
 * Files and databases keep grams: whoever changes what a gram is, or `fold`, must drop every index.
 */
export const oneGram = (unit: number): number => mixed(1, unit);

export const twoGram = (first: number, second: number): number => mixed(2, (first << 16) | second);

/** Of narrow units. */
export const threeGram = (first: number, second: number, third: number): number =>
  mixed(3 + first, (second << 16) | third);

/** A unit of an alphabet. */
export const isNarrow = (unit: number): boolean => unit < 0x2e80;

/** The grams that all texts with these terms have: enough to find them, the rarest first. */
export const gramsOfTerms = (terms: readonly string[]): readonly number[] =>
  [...new Set(terms.flatMap(piecesOf))]
    .sort((left, right) => rarityOf(right) - rarityOf(left))
    .map(gramOf);

/** The longest gram that starts at each unit. */
function piecesOf(term: string): string[] {
  if (term.length === 1) return [term];
  return Array.from({ length: term.length - 1 }, (_, index) => {
    const three = term.slice(index, index + 3);
    return ALL_NARROW.test(three) ? three : three.slice(0, 2);
  });
}

function gramOf(piece: string): number {
  const [first = 0, second = 0, third = 0] = piece.split("").map((unit) => unit.charCodeAt(0));
  if (piece.length === 1) return oneGram(first);
  return piece.length === 2 ? twoGram(first, second) : threeGram(first, second, third);
}

const ALL_NARROW = /^[\0-\u2e7f]{3}$/;

/** A guess, which costs time alone where it is wrong. */
const rarityOf = (piece: string): number =>
  piece.split("").reduce((sum, unit) => sum + 30 + rankOf(unit), 0) -
  (piece.includes(" ") ? 60 : 0);

const COMMON_FIRST = "etaoinsrhldcumfpgwybvkxqjz";

function rankOf(unit: string): number {
  const rank = COMMON_FIRST.indexOf(unit);
  return rank === -1 ? COMMON_FIRST.length : rank;
}

function mixed(one: number, other: number): number {
  let hash = Math.imul(one, 0x9e3779b1) ^ Math.imul(other ^ (other >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
