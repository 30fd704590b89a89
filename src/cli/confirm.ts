import { AgnoChatError } from "../errors.js";
import type { Context } from "./context.js";
import { yesOrNo } from "./questions.js";

/**
 * Returns when the user says yes, or said so with `--yes`.
 * @throws {AgnoChatError} `NOT_CONFIRMED` for a no, and where nobody can be asked; `CANCELLED` for Ctrl-C
 */
export async function confirmed({ io, options, signal }: Context, question: string): Promise<void> {
  if (options.yes) return;
  if (!io.stdin.isTTY || !io.stderr.isTTY) throw cannotAsk(question);
  const answer = await yesOrNo({ stdin: io.stdin, stderr: io.stderr, signal }, question);
  if (answer === undefined) throw new AgnoChatError("CANCELLED", "Not done.");
  if (!answer) throw new AgnoChatError("NOT_CONFIRMED", "Not done: you said no.");
}

/** For what must be asked where there is nobody to ask. */
export const cannotAsk = (question: string): AgnoChatError =>
  new AgnoChatError("NOT_CONFIRMED", `Not done: ${question}`, {
    hint: "There is no terminal to ask on; add --yes.",
  });
