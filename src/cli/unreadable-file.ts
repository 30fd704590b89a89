import { AgnoChatError } from "../errors.js";
import { systemReason } from "../system-errors.js";

/**
 * The error for a file that the user named: the cause, if that says enough.
 * @param what names the file: `the script "chat.txt"`
 */
export const unreadableFile = (what: string, cause: unknown, hint?: string): AgnoChatError =>
  cause instanceof AgnoChatError
    ? cause
    : new AgnoChatError(
        "FILE_UNREADABLE",
        `Cannot read ${what}: ${systemReason(cause) ?? "unknown reason"}.`,
        { cause, ...(hint === undefined ? {} : { hint }) },
      );
