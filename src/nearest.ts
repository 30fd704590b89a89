import { distance } from "fastest-levenshtein";

/**
 * Returns the known word closest to what was typed, ignoring case, or undefined when none is close.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const names = [...known].sort((left, right) => left.length - right.length);
  const completed = wanted.length > 1 ? names.find((name) => startsWith(name, wanted)) : undefined;
  return completed ?? closest(wanted, names);
}

const startsWith = (name: string, start: string): boolean => name.toLowerCase().startsWith(start);

/** Allows one slip per three letters: two slips turn a short word into another. */
function closest(wanted: string, names: readonly string[]): string | undefined {
  const slips = (name: string) => slipsBetween(wanted, name.toLowerCase());
  const [best] = names.toSorted((left, right) => slips(left) - slips(right));
  return best !== undefined && slips(best) <= Math.floor(wanted.length / 3) ? best : undefined;
}

/** Counts letters inserted, left out or replaced; two swapped letters are one slip, not two. */
function slipsBetween(typed: string, name: string): number {
  const slips = distance(typed, name);
  const isSwap = slips === 2 && lettersOf(typed) === lettersOf(name);
  return isSwap ? 1 : slips;
}

const lettersOf = (word: string): string => [...word].sort().join("");
