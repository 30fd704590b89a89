import type { Agent } from "../agent/agent.js";
import type { RunEvent, RunOutput } from "../agent/events.js";
import { AgnoChatError } from "../errors.js";
import { type BodyReader, parseObject } from "./body.js";
import { EventStream } from "./event-stream.js";
import { failureOf } from "./failure-answer.js";
import { sendJson } from "./reply.js";
import type { RequestContext } from "./request-context.js";
import { resolveUser, sessionOf } from "./resolve-user.js";

export interface ChatParts {
  readonly agent: Agent;
  readonly bodies: BodyReader;
  /** How long a client may read nothing before it is disconnected. */
  readonly writeTimeoutMs: number;
}

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
export async function chat(context: RequestContext, { agent, bodies, writeTimeoutMs }: ChatParts) {
  const { request, response, signal } = context;
  const { user_id, session_id, message } = parseObject(await bodies.read(request));
  const userId = resolveUser(context, user_id);
  const options = { userId, sessionId: sessionOf(session_id), signal };
  const input = textOf(message);
  if (request.headers.accept?.includes("text/event-stream"))
    return sendEvents(context, agent.stream(input, options), writeTimeoutMs);
  sendJson(response, answerOf(await agent.run(input, options)));
}

const answerOf = ({ userId, content, finishReason }: RunOutput) => ({
  user_id: userId,
  reply: content,
  ...(finishReason === "length" ? { finish_reason: finishReason } : {}),
});

function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  throw new AgnoChatError("INVALID_INPUT", "message must be a string.");
}

async function sendEvents(
  context: RequestContext,
  events: AsyncIterable<RunEvent>,
  writeTimeoutMs: number,
): Promise<void> {
  const stream = new EventStream(context, writeTimeoutMs);
  try {
    for await (const event of events) await stream.write(eventText(event.type, dataOf(event)));
  } catch (thrown) {
    if (!stream.isOpen) throw thrown;
    context.fail(thrown);
    const { code, message, stored } = failureOf(thrown);
    await stream.write(eventText("error", { error: message, code, stored }));
  }
  stream.end();
}

const eventText = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

function dataOf(event: RunEvent): Readonly<Record<string, unknown>> {
  if (event.type === "run-end") return answerOf(event.output);
  const { type: _, ...fields } = event;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snake(name), value]));
}

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
