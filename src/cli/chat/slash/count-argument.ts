import { AgnoChatError } from "../../../errors.js";

interface CountArgument {
  /** Without an argument. */
  readonly usual: number;
  /** Such as `/history`. */
  readonly command: string;
  /** What is counted. */
  readonly of: string;
  readonly hint?: string;
}

/**
 * How many of something a command is asked for.
 * @throws {AgnoChatError} `USAGE`
 */
export function countIn(argument: string, { usual, command, of, hint }: CountArgument): number {
  const count = argument === "" ? usual : Number(argument);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new AgnoChatError(
    "USAGE",
    `${command} takes a number of ${of}, not ${JSON.stringify(argument)}.`,
    hint === undefined ? {} : { hint },
  );
}
