import levenshtein from "fastest-levenshtein";

/** The known word a user most likely meant, or `undefined` when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const candidate = known.length > 0 ? levenshtein.closest(word, known) : undefined;
  const near =
    candidate !== undefined &&
    levenshtein.distance(word, candidate) <= Math.max(2, word.length / 3);
  return near ? candidate : undefined;
}
