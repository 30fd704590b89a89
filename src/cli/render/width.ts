/** Text whose every character takes one column. */
export const PRINTABLE_ASCII = /^[ -~]*$/;

let segmenter: Intl.Segmenter | undefined;

/** What a reader sees as one character each: a letter with its marks, a joined emoji, a flag. */
export function graphemes(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return text.split("");
  // Made when first needed: it holds up the first prompt by a tenth.
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
