import { asList, asRecord, parseJson } from "../../json.js";
import type { Outgoing } from "./door.js";
import { eventsOf, type MessageShape } from "./message-shape.js";
import { WrongAnswer } from "./server-api.js";

/** A message by OpenAI's Responses API, where a session is a conversation. */
export const RESPONSES_SHAPES: readonly MessageShape[] = [
  {
    name: "POST /v1/responses",
    callOf: (message) => responsesCall(message),
    replyIn: async (text, message) => responseText(parseJson(text), message),
  },
  {
    name: "POST /v1/responses streamed",
    callOf: (message) => responsesCall(message, { stream: true }),
    replyIn: async (text, message) => streamedText(await eventsOf(text), message),
  },
];

/** Without a user, so that two users who say the same send the same. */
function responsesCall({ sessionId, text }: Outgoing, options?: { readonly stream: boolean }) {
  const body = { model: "verify", input: text, conversation: sessionId, ...options };
  return { method: "POST", path: "/v1/responses", body };
}

/** @throws {WrongAnswer} */
function responseText(response: unknown, { sessionId }: Outgoing): string {
  const { conversation, output } = asRecord(response);
  if (asRecord(conversation).id !== sessionId)
    throw new WrongAnswer("The answer names another conversation.");
  const parts = asList(output).flatMap((item) => asList(asRecord(item).content));
  return parts.map((part) => String(asRecord(part).text)).join("");
}

/** @throws {WrongAnswer} */
function streamedText(events: readonly unknown[], message: Outgoing): string {
  const [created, ...rest] = events.map(asRecord);
  const failed = rest.find(({ type }) => type === "error");
  if (failed !== undefined) throw new Error(`The stream ended with ${String(failed.code)}.`);
  responseText(created?.response, message);
  const text = responseText(rest.at(-1)?.response, message);
  const pieces = rest.map(({ delta }) => (typeof delta === "string" ? delta : "")).join("");
  if (pieces !== text) throw new WrongAnswer("The pieces are not those of the reply.");
  return text;
}
