import { AgnoChatError } from "../errors.js";
import type { Context } from "./context.js";
import { askWhether } from "./questions.js";

/**
 * Returns when the user says yes, or said so with `--yes`.
 * @throws {AgnoChatError} `NOT_CONFIRMED` for a no, and where nobody can be asked
 */
export async function confirmed({ io, options }: Context, question: string): Promise<void> {
  if (options.yes) return;
  if (!io.stdin.isTTY || !io.stderr.isTTY)
    throw new AgnoChatError("NOT_CONFIRMED", `Not done: ${question}`, {
      hint: "There is no terminal to ask on; add --yes.",
    });
  if (!(await askWhether(io, question)))
    throw new AgnoChatError("NOT_CONFIRMED", "Not done: you said no.");
}
