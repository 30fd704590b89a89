import type { Agent } from "../agent/agent.js";
import type { RunEvent, RunOutput } from "../agent/events.js";
import { AgnoChatError } from "../errors.js";
import { type BodyReader, parseObject } from "./body.js";
import { EventStream } from "./event-stream.js";
import type { Exchange } from "./exchange.js";
import { failureOf } from "./failure.js";
import { sendJson } from "./reply.js";
import { sessionOf, userOf } from "./whose.js";

export interface ChatParts {
  readonly agent: Agent;
  readonly bodies: BodyReader;
  /** Milliseconds to wait for a reader that takes nothing. */
  readonly patience: number;
}

/**
 * `POST /chat`: `{ user_id, message, session_id? }` in, `{ user_id, reply }` out; of a reply that was cut at the model's
 * token limit also `finish_reason: "length"`.
 *
 * With `Accept: text/event-stream` the run's events come as they happen, one server-sent event each, named after
 * `RunEvent` and with its fields in snake_case: `run-start` `{ run_id, user_id, session_id }`, `text-delta` `{ text }`,
 * `tool-call`, `tool-result`, `retry`, and last either `run-end` `{ user_id, reply, … }` or `error`
 * `{ error, code, stored }`: `stored` is true when what had come is kept, marked as interrupted.
 * What fails before the run starts is answered as without it, unless that took so long that a comment came first.
 */
export async function chat(exchange: Exchange, { agent, bodies, patience }: ChatParts) {
  const { request, response, signal } = exchange;
  const { user_id, session_id, message } = parseObject(await bodies.read(request));
  const userId = userOf(exchange, user_id);
  const options = { userId, sessionId: sessionOf(session_id), signal };
  const input = textOf(message);
  if (request.headers.accept?.includes("text/event-stream"))
    return sendEvents(exchange, agent.stream(input, options), patience);
  sendJson(response, answerOf(await agent.run(input, options)));
}

const answerOf = ({ userId, content, finishReason }: RunOutput) => ({
  user_id: userId,
  reply: content,
  ...(finishReason === "length" ? { finish_reason: finishReason } : {}),
});

function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  throw new AgnoChatError("INVALID_INPUT", "message must be a text.");
}

async function sendEvents(
  exchange: Exchange,
  events: AsyncIterable<RunEvent>,
  patience: number,
): Promise<void> {
  const stream = new EventStream(exchange, patience);
  try {
    for await (const event of events) await stream.write(eventText(event.type, dataOf(event)));
  } catch (thrown) {
    if (!stream.isOpen) throw thrown;
    exchange.fail(thrown);
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
