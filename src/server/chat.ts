import type { Agent } from "../agent/agent.js";
import type { RunEvent, RunOutput } from "../agent/events.js";
import { AgnoChatError } from "../errors.js";
import { type Answer, eventStream, json } from "./answer.js";
import { parseObject } from "./body.js";
import { failureOf } from "./failure-answer.js";
import type { RequestContext } from "./request-context.js";
import { resolveUser, sessionOf } from "./resolve-user.js";

/**
 * `POST /chat`: takes `{ user_id, message, session_id? }`, answers `{ user_id, reply }`, plus
 * `finish_reason: "length"` if the reply was cut at the model's token limit.
 *
 * With `Accept: text/event-stream` the run's events are sent as they happen, one server-sent event
 * each, named after `RunEvent` and with its fields in snake_case: `run-start` `{ run_id, user_id,
 * session_id }`, `text-delta` `{ text }`, `tool-call`, `tool-result`, `retry`, and last either
 * `run-end` `{ user_id, reply, … }` or `error` `{ error, code, stored }`. `stored` is true when the
 * text sent so far is kept, marked as interrupted. A failure before the run starts is answered with
 * a status as usual, unless a keep-alive comment was sent first.
 */
export async function chat(context: RequestContext, agent: Agent): Promise<Answer> {
  const { user_id, session_id, message } = parseObject(await context.body());
  const user = agent.forUser(resolveUser(context, user_id));
  const options = { sessionId: sessionOf(session_id), signal: context.cancellation };
  const input = textOf(message);
  if (context.head.headers.accept?.includes("text/event-stream"))
    return eventStream({
      pieces: eventsOf(context, user.stream(input, options)),
      lastWords: (thrown) => lastWords(context, thrown),
    });
  const output = await user.run(input, options);
  context.runId = output.runId;
  return json(answerOf(output));
}

function answerOf({ userId, content, finishReason }: RunOutput) {
  const answer = { user_id: userId, reply: content };
  return finishReason === "length" ? { ...answer, finish_reason: finishReason } : answer;
}

function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  throw new AgnoChatError("INVALID_INPUT", "message must be a string.");
}

async function* eventsOf(
  context: RequestContext,
  events: AsyncIterable<RunEvent>,
): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === "run-start") context.runId = event.runId;
    yield eventText(event.type, dataOf(event));
  }
}

function lastWords(context: RequestContext, thrown: unknown): string {
  context.fail(thrown);
  const { code, message, stored } = failureOf(thrown);
  return eventText("error", { error: message, code, stored });
}

const eventText = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

function dataOf(event: RunEvent): Readonly<Record<string, unknown>> {
  // Most events are these, by far, and their one field has one name.
  if (event.type === "text-delta") return { text: event.text };
  if (event.type === "run-end") return answerOf(event.output);
  const { type: _, ...fields } = event;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snake(name), value]));
}

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
