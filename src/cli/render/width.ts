import stringWidth from "string-width";

const segmenter = new Intl.Segmenter();
const PRINTABLE_ASCII = /^[ -~]*$/;

/** The columns `text` takes in a terminal: wide characters and emoji take two, marks and joiners none. */
export function displayWidth(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : stringWidth(text);
}

/** What a reader sees as one character each: a letter with its marks, a joined emoji, a flag. */
export function graphemes(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return text.split("");
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
