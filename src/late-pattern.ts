/**
 * A pattern that its first use makes. V8 reads every pattern of a file as it loads the file, and to
 * read Unicode classes (`\p{…}`) takes up to 1 ms each.
 */
export function latePattern(source: string, flags: string): () => RegExp {
  let pattern: RegExp | undefined;
  return () => {
    pattern ??= new RegExp(source, flags);
    return pattern;
  };
}
