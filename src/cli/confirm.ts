import { AgnoChatError } from "../errors.js";
import type { Context } from "./command-context.js";
import { yesOrNo } from "./inquirer-questions.js";

/**
 * Resolves once the user has confirmed, on the terminal or with `--yes`.
 * @throws {AgnoChatError} `NOT_CONFIRMED` when the user says no or there is no terminal to ask on;
 * `CANCELLED` for Ctrl-C
 */
export async function requireConfirmation(
  { io, options, signal }: Context,
  question: string,
): Promise<void> {
  if (options.yes) return;
  if (!io.stdin.isTTY || !io.stderr.isTTY) throw cannotAskError(question);
  const answer = await yesOrNo({ stdin: io.stdin, stderr: io.stderr, signal }, question);
  if (answer === undefined) throw new AgnoChatError("CANCELLED", "Cancelled: nothing was changed.");
  if (!answer) throw new AgnoChatError("NOT_CONFIRMED", "Not confirmed: nothing was changed.");
}

/** The refusal when a question needs a terminal and there is none. */
export const cannotAskError = (question: string): AgnoChatError =>
  new AgnoChatError("NOT_CONFIRMED", `Not confirmed: ${question}`, {
    hint: "There is no terminal to ask on. Add --yes to confirm.",
  });
