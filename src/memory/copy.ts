import type { StoredMessage } from "../messages.js";

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
