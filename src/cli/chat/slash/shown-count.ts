import { AgnoChatError } from "../../../errors.js";

interface ShownCount {
  /** Without an argument. */
  readonly usual: number;
  /** Such as `/history`. */
  readonly command: string;
  /** What it lists. */
  readonly of: string;
}

/**
 * How many rows of a list are asked for.
 * @throws {AgnoChatError} `USAGE`
 */
export function shownCount(argument: string, { usual, command, of }: ShownCount): number {
  const limit = argument === "" ? usual : Number(argument);
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new AgnoChatError(
    "USAGE",
    `${command} takes a number of ${of}, not ${JSON.stringify(argument)}.`,
  );
}
