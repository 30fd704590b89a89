import { AgnoChatError } from "../errors.js";
import { systemReason } from "../system-errors.js";

/** The error for a file that the user named. `what` names it: `the script "chat.txt"`. */
export const unreadableFile = (what: string, cause: unknown, hint?: string): AgnoChatError =>
  new AgnoChatError(
    "FILE_UNREADABLE",
    `Cannot read ${what}: ${systemReason(cause) ?? "unknown reason"}.`,
    { cause, ...(hint === undefined ? {} : { hint }) },
  );
