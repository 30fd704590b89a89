import { randomUUID } from "node:crypto";
import type { StoredMessage } from "../messages.js";
import type { AcceptedMessage } from "./accept.js";

/** Where messages are about to be stored. */
export interface Place {
  readonly sessionId: string;
  /** The id of the first of them; the others count up from it. */
  readonly firstId: number;
  /** The run a message that neither begins nor names one belongs to. */
  readonly latestRunId: string | undefined;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** The messages as they will be stored, frozen. What was already known of them is kept, but never `id` and `sessionId`. */
export function stamp(
  messages: readonly AcceptedMessage[],
  { sessionId, firstId, latestRunId, createdAt }: Place,
): StoredMessage[] {
  let runId = latestRunId;
  return messages.map((message, index) => {
    runId = message.runId ?? (message.role === "user" ? undefined : runId) ?? randomUUID();
    return Object.freeze({
      ...message,
      id: firstId + index,
      runId,
      sessionId,
      createdAt: message.createdAt ?? createdAt,
    });
  });
}

/** A copy that shares nothing changeable with the message. */
export function copyMessage(message: StoredMessage): StoredMessage {
  const copy = { ...message } as { -readonly [Key in keyof StoredMessage]: StoredMessage[Key] };
  if (copy.usage !== undefined) copy.usage = { ...copy.usage };
  if (message.role !== "assistant" || message.toolCalls === undefined) return copy as StoredMessage;
  return {
    ...message,
    ...copy,
    role: "assistant",
    toolCalls: message.toolCalls.map((call) => ({ ...call })),
  };
}
