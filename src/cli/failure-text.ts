import { type AgnoChatError, sentencesOf } from "../errors.js";

import { maskSecrets } from "../secrets.js";
import { hintFor } from "./hints.js";
import { noteLine } from "./note-line.js";

/** What failed, what was stored and what to do next. */
export function failureText(error: AgnoChatError): string {
  const { message, stored } = error;
  return maskSecrets(sentencesOf({ message, stored, hint: hintFor(error) }));
}

/** The same on one line. */
export const failureLine = (error: AgnoChatError): string => noteLine(failureText(error));

/** The failure for `--json`. `stored` is present if known. */
export function failureDocument(error: AgnoChatError) {
  const hint = hintFor(error);
  return {
    code: error.code,
    message: maskSecrets(error.message),
    hint: hint === undefined ? null : maskSecrets(hint),
    ...(error.stored === undefined ? {} : { stored: error.stored }),
  };
}

/** The lines `--debug` adds: the failure and each of its causes, with secrets masked. */
export function causeLines(error: AgnoChatError): string[] {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    lines.push(noteLine(maskSecrets(`${cause.name}: ${cause.message}`)));
  return lines;
}
