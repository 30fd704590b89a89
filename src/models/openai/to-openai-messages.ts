import { isJsonObject } from "../../json.js";
import type { AssistantMessage, Message, ToolCall } from "../../messages.js";
import { WireIds, type WireNames } from "./wire-names.js";

interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message in the form of chat.completions. */
export type WireMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string | null;
      readonly tool_calls?: WireToolCall[];
    }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

/**
 * Converts messages to a form that even the strictest servers accept: known keys only, no lone
 * surrogates, tool names and call ids any server takes, no empty assistant messages, and the two
 * user messages around one joined.
 */
export function toOpenAIMessages(messages: readonly Message[], names: WireNames): WireMessage[] {
  const known = { names, ids: new WireIds() };
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (isEmpty(message)) continue;
    const last = wire.at(-1);
    if (message.role === "user" && last?.role === "user")
      wire[wire.length - 1] = userAfter(last.content, message.content);
    else wire.push(toOpenAIMessage(message, known));
  }
  return wire;
}

const isEmpty = (message: Message): boolean =>
  message.role === "assistant" && message.content === "" && !message.toolCalls?.length;

const userAfter = (earlier: string, content: string): WireMessage => ({
  role: "user",
  content: `${earlier}\n\n${content.toWellFormed()}`,
});

interface WireMapping {
  readonly names: WireNames;
  readonly ids: WireIds;
}

function toOpenAIMessage(message: Message, known: WireMapping): WireMessage {
  const content = message.content.toWellFormed();
  switch (message.role) {
    case "assistant":
      return toAssistant(message, { content, ...known });
    case "tool":
      return { role: "tool", tool_call_id: known.ids.ofResult(message.toolCallId), content };
    default:
      return { role: message.role, content };
  }
}

function toAssistant(
  { toolCalls = [] }: AssistantMessage,
  { content, names, ids }: WireMapping & { content: string },
): WireMessage {
  if (toolCalls.length === 0) return { role: "assistant", content };
  const sentIds = ids.ofCalls(toolCalls);
  const tool_calls = toolCalls.map((call, index) => toWireCall(call, sentIds[index] ?? "", names));
  return { role: "assistant", content: content || null, tool_calls };
}

/** Arguments that are not a JSON object can make a server's template fail with a 500. */
const toWireCall = ({ name, arguments: args }: ToolCall, id: string, names: WireNames) => ({
  id,
  type: "function" as const,
  function: {
    name: names.toSent(name),
    arguments: isJsonObject(args) ? args.toWellFormed() : "{}",
  },
});
