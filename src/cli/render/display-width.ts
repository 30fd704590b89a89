import stringWidth from "string-width";
import { PRINTABLE_ASCII } from "./width.js";

/**
 * The columns `text` takes in a terminal: wide characters and emoji take two, marks and joiners none. Loading it takes a
 * third of the way to the first prompt, so nothing that is needed before may import it.
 */
export function displayWidth(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : stringWidth(text);
}
