import type { StoredMessage } from "../messages.js";

/** Characters of the content and of the arguments of tool calls. */
export function charactersOf(message: StoredMessage): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return calls.reduce((sum, call) => sum + call.arguments.length, message.content.length);
}

/** Bytes of a message as JSON text in UTF-8. */
export const bytesOf = (message: StoredMessage): number =>
  Buffer.byteLength(JSON.stringify(message));
