import type { StoredMessage } from "../messages.js";

/** UTF-16 units of the content and of the arguments of its tool calls: what a model is sent. */
export function charactersOf(message: StoredMessage): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return calls.reduce((sum, call) => sum + call.arguments.length, message.content.length);
}

/** Bytes of a message as JSON text in UTF-8, and of the contents of its attachments. */
export function bytesOf(message: StoredMessage): number {
  const bytes = jsonBytes(message);
  if (message.role !== "user" || message.attachments === undefined) return bytes;
  return message.attachments.reduce((sum, attachment) => sum + attachment.bytes, bytes);
}

/**
 * Bytes of a JSON value as `JSON.stringify` writes it, whose keys are plain ASCII. Measured without
 * writing it, because every message is measured when it is stored.
 */
export function jsonBytes(value: unknown): number {
  if (typeof value === "string") return textBytes(value);
  if (typeof value !== "object" || value === null) return String(value).length;
  if (Array.isArray(value))
    return value.reduce<number>((sum, each) => sum + jsonBytes(each) + 1, value.length > 0 ? 1 : 2);
  let sum = 1;
  let separators = 1;
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    sum += key.length + 3 + jsonBytes(field) + 1;
    separators = 0;
  }
  return sum + separators;
}

/** Printable ASCII that needs no escape: a byte for each character. */
const PLAIN = /^[ !#-[\]-~]*$/;

const textBytes = (text: string): number =>
  PLAIN.test(text) ? text.length + 2 : Buffer.byteLength(JSON.stringify(text));
