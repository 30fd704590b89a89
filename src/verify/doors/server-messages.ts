import { randomUUID } from "node:crypto";
import { asRecord, parseJson } from "../../json.js";
import { type A2aVersion, a2aHeaders, a2aMessage, a2aReply, a2aStreamReply } from "./a2a-shape.js";
import type { Door, Outgoing } from "./door.js";
import { CONNECTIONS } from "./http-client.js";
import { eventsOf, type MessageShape } from "./message-shape.js";
import { RESPONSES_SHAPES } from "./responses-shape.js";
import { refuseOther, type ServerApi, WrongAnswer } from "./server-api.js";

export const A2A_VERSIONS: readonly A2aVersion[] = ["1.0", "0.3"];

export const CHAT_SHAPES: readonly MessageShape[] = [
  {
    name: "POST /chat",
    callOf: chatCall,
    async replyIn(text, { userId }) {
      const { user_id, reply } = asRecord(parseJson(text));
      refuseOther(user_id, userId);
      return String(reply);
    },
  },
  {
    name: "POST /chat streamed",
    callOf: (message) => ({ ...chatCall(message), headers: { accept: "text/event-stream" } }),
    replyIn: async (text, message) => streamedReply(await eventsOf(text), message),
  },
];

export const A2A_SHAPES: readonly MessageShape[] = A2A_VERSIONS.flatMap((version) => [
  {
    name: `POST /a2a ${version}`,
    callOf: (message) => a2aCall(version, message),
    async replyIn(text, message) {
      const answer = parseJson(text);
      refuseOtherContext([answer], message);
      return a2aReply(answer);
    },
  },
  {
    name: `POST /a2a ${version} streamed`,
    callOf: (message) => a2aCall(version, message, { stream: true }),
    async replyIn(text, message) {
      const events = await eventsOf(text);
      refuseOtherContext(events, message);
      return a2aStreamReply(events);
    },
  },
]);

export const serverMessageDoors = (api: ServerApi): readonly Door[] =>
  [...CHAT_SHAPES, ...RESPONSES_SHAPES, ...A2A_SHAPES].map(({ name, callOf, replyIn }) => ({
    ...{ name, atOnce: CONNECTIONS },
    async send(message, signal) {
      const { onAnswer } = message;
      const { text } = await api.ask(message.userId, { ...callOf(message), signal, onAnswer });
      const [, task] = /"taskId":"([^"]+)"/.exec(text) ?? [];
      if (task !== undefined) api.tasks.set(message.userId, task);
      const [, response] = /"id":"(resp_[^"]+)"/.exec(text) ?? [];
      if (response !== undefined) api.responses.set(message.userId, response);
      return replyIn(text, message);
    },
  }));

/** Without a `user_id`, so that two users who say the same send the same. */
function chatCall({ sessionId, text }: Outgoing) {
  const body = { message: text, session_id: sessionId };
  return { method: "POST", path: "/chat", body };
}

function a2aCall(
  version: A2aVersion,
  { sessionId, text }: Outgoing,
  options?: { readonly stream: boolean },
) {
  const message = { id: randomUUID(), contextId: sessionId, text };
  const body = { jsonrpc: "2.0", id: 1, ...a2aMessage(version, message, options) };
  return { method: "POST", path: "/a2a", headers: a2aHeaders(version), body };
}

function streamedReply(events: readonly unknown[], { userId, sessionId }: Outgoing): string {
  const [start, ...rest] = events.map(asRecord);
  const end = rest.pop() ?? {};
  if (end.error !== undefined) throw new Error(`The stream ended with ${String(end.code)}.`);
  refuseOther(start?.user_id, userId);
  refuseOther(end.user_id, userId);
  if (start?.session_id !== sessionId) throw new WrongAnswer("The answer names another session.");
  const pieces = rest.map(({ text }) => (typeof text === "string" ? text : "")).join("");
  if (pieces !== end.reply) throw new WrongAnswer("The pieces are not those of the reply.");
  return pieces;
}

/** @throws {WrongAnswer} */
function refuseOtherContext(events: readonly unknown[], { sessionId }: Outgoing): void {
  for (const event of events) {
    const result = asRecord(asRecord(event).result);
    const named = [result, ...Object.values(result).map(asRecord)].map(
      ({ contextId }) => contextId,
    );
    if (named.some((context) => context !== undefined && context !== sessionId))
      throw new WrongAnswer("The answer names another context.");
  }
}
