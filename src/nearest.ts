import levenshtein from "fastest-levenshtein";

/** The known word a user most likely meant, or `undefined` when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const begun = word.length > 1 ? known.filter((name) => name.startsWith(word)) : [];
  if (begun.length > 0) return begun.sort((left, right) => left.length - right.length)[0];
  const candidate = known.length > 0 ? levenshtein.closest(word, known) : undefined;
  const near =
    candidate !== undefined &&
    levenshtein.distance(word, candidate) <= Math.max(2, word.length / 3);
  return near ? candidate : undefined;
}
