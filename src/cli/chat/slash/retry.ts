import type { NewAttachment } from "../../../attachments.js";
import { contentsOfMessage } from "../../../data/export-attachments.js";
import { AgnoChatError } from "../../../errors.js";
import { attachmentsOf, type StoredMessage } from "../../../messages.js";
import type { Repl } from "../repl.js";
import type { Speaker } from "../screen.js";
import type { CommandCall } from "./slash-command.js";

/** Sends the unanswered message again, or else the last question. A new answer replaces the old. */
export async function retry(repl: Repl, { speaker, signal }: CommandCall): Promise<void> {
  const { text, replaceRun, attachments } = await questionOf(repl, speaker);
  const purpose = replaceRun === undefined ? "" : ", in place of the last answer";
  repl.screen.note(`Asking again${purpose}: ${text}`);
  try {
    await repl.say(text, { speaker, signal, replaceRun, attachments });
  } catch (thrown) {
    if (replaceRun !== undefined) repl.screen.note("The last answer stays.");
    throw thrown;
  }
}

interface Question {
  readonly text: string;
  readonly replaceRun: string | undefined;
  readonly attachments: readonly NewAttachment[];
}

async function questionOf(repl: Repl, speaker: Speaker): Promise<Question> {
  const unanswered = repl.unanswered.of(speaker);
  const last = await lastQuestion(repl, speaker);
  // A run that was stopped after some text is stored, and is then the last run.
  if (unanswered !== undefined && unanswered.runId !== last?.runId) {
    const isThere = unanswered.replaceRun === last?.runId;
    const { text, attachments } = unanswered;
    return { text, attachments, replaceRun: isThere ? last?.runId : undefined };
  }
  if (last !== undefined) {
    const attachments = await filesOf(repl, speaker, last);
    return { text: last.content, attachments, replaceRun: last.runId };
  }
  throw new AgnoChatError("USAGE", "There is no question to ask again.");
}

/** The files of a stored message, to be sent again. */
async function filesOf(
  repl: Repl,
  { userId }: Speaker,
  message: StoredMessage,
): Promise<NewAttachment[]> {
  const contents = await contentsOfMessage(repl.memory, userId, message);
  return attachmentsOf(message).flatMap(({ name, hash }) => {
    const content = contents.get(hash);
    return content === undefined ? [] : [{ name, content }];
  });
}

const PAGE = 50;

/** The user message that began the last run of the session. */
async function lastQuestion(repl: Repl, speaker: Speaker): Promise<StoredMessage | undefined> {
  const { sessionId } = speaker;
  for (let before: number | undefined; ; ) {
    const page = await repl.viewOf(speaker).history({ sessionId, limit: PAGE, before });
    const question = page.findLast(({ role }) => role === "user");
    if (question !== undefined || page[0] === undefined) return question;
    before = page[0].id;
  }
}
