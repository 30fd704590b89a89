import type { AssistantMessage, Message, ToolCall } from "../../messages.js";
import { isJsonObject } from "./json.js";

interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message as chat.completions takes it. */
export type WireMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string | null;
      readonly tool_calls?: WireToolCall[];
    }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

/**
 * The messages as the strictest servers take them: rebuilt key by key, since an unknown key is an error to some; no
 * half surrogates; no assistant message that says nothing, and the two user messages around it as one.
 */
export function toOpenAIMessages(messages: readonly Message[]): WireMessage[] {
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (saysNothing(message)) continue;
    const last = wire.at(-1);
    if (message.role === "user" && last?.role === "user")
      wire[wire.length - 1] = userAfter(last.content, message.content);
    else wire.push(toOpenAIMessage(message));
  }
  return wire;
}

const saysNothing = (message: Message): boolean =>
  message.role === "assistant" && message.content === "" && !message.toolCalls?.length;

const userAfter = (earlier: string, content: string): WireMessage => ({
  role: "user",
  content: `${earlier}\n\n${content.toWellFormed()}`,
});

function toOpenAIMessage(message: Message): WireMessage {
  const content = message.content.toWellFormed();
  switch (message.role) {
    case "assistant":
      return toAssistant(message, content);
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content };
    default:
      return { role: message.role, content };
  }
}

function toAssistant({ toolCalls = [] }: AssistantMessage, content: string): WireMessage {
  if (toolCalls.length === 0) return { role: "assistant", content };
  return { role: "assistant", content: content || null, tool_calls: toolCalls.map(toWireCall) };
}

/** Arguments that are no JSON object would make a server's template fail, which shows as a 500. */
const toWireCall = ({ id, name, arguments: args }: ToolCall): WireToolCall => ({
  id,
  type: "function",
  function: { name, arguments: isJsonObject(args) ? args.toWellFormed() : "{}" },
});
