import type { RunOutput } from "../../agent/events.js";

/** The whole answer: the document of `ask --json`, and the last line of `ask --stream-json`. */
export const answerDocument = (
  { userId, sessionId, content, value, finishReason, usage, runId }: RunOutput,
  model: string,
) => ({
  ok: true,
  user: userId,
  session: sessionId,
  model,
  reply: content,
  ...(value === undefined ? {} : { value }),
  finishReason,
  usage: usage ?? null,
  runId,
});
