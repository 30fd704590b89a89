import { randomUUID } from "node:crypto";
import type {
  AssistantMessage,
  Message,
  StoredFields,
  StoredMessage,
  ToolMessage,
} from "../messages.js";
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

type Stamped = Pick<StoredMessage, "id" | "runId" | "sessionId" | "createdAt">;

/** Every key any message may have. */
type AnyMessage = Pick<Message, "role" | "content"> &
  Partial<Omit<AssistantMessage & StoredFields, "role" | "content">> &
  Partial<Omit<ToolMessage, "role" | "content">>;

type Draft = { -readonly [Key in keyof AnyMessage]: AnyMessage[Key] };

/** The messages as they will be stored, frozen. What was already known of them is kept, but never `id` and `sessionId`. */
export function stamp(
  messages: readonly AcceptedMessage[],
  { sessionId, firstId, latestRunId, createdAt }: Place,
): StoredMessage[] {
  let runId = latestRunId;
  return messages.map((message, index) => {
    runId = message.runId ?? (message.role === "user" ? undefined : runId) ?? randomUUID();
    return place(message, { id: firstId + index, runId, sessionId, createdAt });
  });
}

/** Key by key and in one order: V8 then shares one shape among all frozen messages, which spreading would give each of its own. */
function place(message: AcceptedMessage, stamped: Stamped): StoredMessage {
  const { role, content, toolCalls, toolCallId, isError, interrupted, finishReason, model, usage } =
    message as AnyMessage;
  const stored: Draft = { role, content };
  if (toolCalls !== undefined) stored.toolCalls = toolCalls;
  if (toolCallId !== undefined) stored.toolCallId = toolCallId;
  if (isError !== undefined) stored.isError = isError;
  if (interrupted !== undefined) stored.interrupted = interrupted;
  if (finishReason !== undefined) stored.finishReason = finishReason;
  if (model !== undefined) stored.model = model;
  if (usage !== undefined) stored.usage = usage;
  stored.id = stamped.id;
  stored.runId = stamped.runId;
  stored.sessionId = stamped.sessionId;
  stored.createdAt = message.createdAt ?? stamped.createdAt;
  return Object.freeze(stored) as StoredMessage;
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
