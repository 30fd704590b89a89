import { AgnoChatError } from "../../../errors.js";
import type { StoredMessage } from "../../../messages.js";
import type { Repl } from "../repl.js";
import type { Who } from "../screen.js";
import type { CommandCall } from "./slash-command.js";

/** Asks again what got no answer, else the last question, whose answer makes room for the new one. */
export async function retry(repl: Repl, { who, signal }: CommandCall): Promise<void> {
  const { text, replaceRun } = await questionOf(repl, who);
  const place = replaceRun === undefined ? "" : ", in place of the last answer";
  repl.screen.note(`Asking again${place}: ${text}`);
  try {
    await repl.say(text, { who, signal, replaceRun });
  } catch (thrown) {
    if (replaceRun !== undefined) repl.screen.note("The last answer stays.");
    throw thrown;
  }
}

interface Question {
  readonly text: string;
  readonly replaceRun: string | undefined;
}

async function questionOf(repl: Repl, who: Who): Promise<Question> {
  const unanswered = repl.unanswered.of(who);
  const last = await lastQuestion(repl, who);
  // Of a run that was stopped after it had shown something, that is stored: it is the last run then.
  if (unanswered !== undefined && unanswered.runId !== last?.runId) {
    const isThere = unanswered.replaceRun === last?.runId;
    return { text: unanswered.text, replaceRun: isThere ? last?.runId : undefined };
  }
  if (last !== undefined) return { text: last.content, replaceRun: last.runId };
  throw new AgnoChatError("USAGE", "There is no question to ask again.");
}

const PAGE = 50;

/** The user's message that the session's last run began with. */
async function lastQuestion(repl: Repl, who: Who): Promise<StoredMessage | undefined> {
  const { sessionId } = who;
  for (let before: number | undefined; ; ) {
    const page = await repl.viewOf(who).history({ sessionId, limit: PAGE, before });
    const question = page.findLast(({ role }) => role === "user");
    if (question !== undefined || page[0] === undefined) return question;
    before = page[0].id;
  }
}
