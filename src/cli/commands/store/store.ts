import { AgnoChatError } from "../../../errors.js";
import { nearest } from "../../../nearest.js";
import type { Context } from "../../command-context.js";

const COMMANDS = ["init", "check", "migrate", "copy"];

/** `store` without a known command. */
export async function store(_context: Context, [word]: string[]): Promise<void> {
  const near = word === undefined ? undefined : nearest(word, COMMANDS);
  throw new AgnoChatError(
    "USAGE",
    word === undefined
      ? "No store command is named."
      : `There is no store command ${JSON.stringify(word)}.`,
    { hint: near === undefined ? `Known: ${COMMANDS.join(", ")}.` : `Did you mean ${near}?` },
  );
}
