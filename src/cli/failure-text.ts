import type { AgnoChatError } from "../errors.js";
import { singleLine } from "../sanitise.js";
import { maskSecrets } from "../secrets.js";

const LONGEST = 1000;

/** What failed and what to do next, as one line. */
export function failureLine({ message, hint }: AgnoChatError): string {
  return singleLine(maskSecrets(hint === undefined ? message : `${message} ${hint}`), LONGEST);
}

/** What `--debug` adds: the failure and every cause behind it, a line each, secrets masked. */
export function causeLines(error: AgnoChatError): string[] {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    lines.push(singleLine(maskSecrets(`${cause.name}: ${cause.message}`), LONGEST));
  return lines;
}
