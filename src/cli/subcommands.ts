import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";

/** @throws {AgnoChatError} `USAGE` for a command such as `store` without a known one below it */
export function refuseSubcommand(
  command: string,
  known: readonly string[],
  word: string | undefined,
): never {
  const near = word === undefined ? undefined : nearest(word, known);
  throw new AgnoChatError(
    "USAGE",
    word === undefined
      ? `No ${command} command is named.`
      : `There is no ${command} command ${JSON.stringify(word)}.`,
    { hint: near === undefined ? `Known: ${known.join(", ")}.` : `Did you mean ${near}?` },
  );
}
