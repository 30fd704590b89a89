import levenshtein from "fastest-levenshtein";

/** The known word a user most likely meant, in whatever case, or `undefined` when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const names = [...known].sort((left, right) => left.length - right.length);
  const begun = wanted.length > 1 ? names.find((name) => isBegun(name, wanted)) : undefined;
  return begun ?? closest(wanted, names);
}

const isBegun = (name: string, beginning: string): boolean =>
  name.toLowerCase().startsWith(beginning);

/** One slip for every three letters: two in a short word make another word of it. */
function closest(wanted: string, names: readonly string[]): string | undefined {
  const slips = (name: string) => slipsBetween(wanted, name.toLowerCase());
  const [best] = names.toSorted((left, right) => slips(left) - slips(right));
  return best !== undefined && slips(best) <= Math.floor(wanted.length / 3) ? best : undefined;
}

/** Letters put in, left out or mistaken. Two that changed places are one slip, and not the two that they count as. */
function slipsBetween(typed: string, name: string): number {
  const distance = levenshtein.distance(typed, name);
  const isSwap = distance === 2 && lettersOf(typed) === lettersOf(name);
  return isSwap ? 1 : distance;
}

const lettersOf = (word: string): string => [...word].sort().join("");
