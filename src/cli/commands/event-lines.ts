import type { RunEvent } from "../../agent/events.js";
import { safeJson } from "../../safe-json.js";
import { maskSecrets } from "../../secrets.js";
import { answerDocument } from "./answer-document.js";

/** The events of a run as `ask --stream-json` prints them: one JSON object a line. */
export async function* eventLines(
  events: AsyncIterable<RunEvent>,
  model: string,
): AsyncGenerator<string> {
  for await (const event of events) yield `${safeJson(lineOf(event, model))}\n`;
}

function lineOf(event: RunEvent, model: string): object {
  switch (event.type) {
    case "run-start": {
      const { type, runId, userId: user, sessionId: session } = event;
      return { type, runId, user, session, model };
    }
    case "run-end":
      return { type: event.type, ...answerDocument(event.output, model) };
    case "retry":
      return { ...event, reason: maskSecrets(event.reason) };
    default:
      return event;
  }
}
