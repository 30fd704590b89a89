import { AgnoChatError } from "../errors.js";

/** @throws {AgnoChatError} `USAGE` */
export function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new AgnoChatError("USAGE", `${flag} must be a whole number, not ${JSON.stringify(text)}.`);
}
