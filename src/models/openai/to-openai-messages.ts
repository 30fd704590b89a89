import type { AssistantMessage, Message, ToolCall } from "../../messages.js";
import { isJsonObject } from "./json.js";
import { WireIds, type WireNames } from "./wire-names.js";

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
 * half surrogates; tool names and call ids that any server takes; no assistant message that says nothing, and the two user
 * messages around it as one.
 */
export function toOpenAIMessages(messages: readonly Message[], names: WireNames): WireMessage[] {
  const known = { names, ids: new WireIds() };
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (saysNothing(message)) continue;
    const last = wire.at(-1);
    if (message.role === "user" && last?.role === "user")
      wire[wire.length - 1] = userAfter(last.content, message.content);
    else wire.push(toOpenAIMessage(message, known));
  }
  return wire;
}

const saysNothing = (message: Message): boolean =>
  message.role === "assistant" && message.content === "" && !message.toolCalls?.length;

const userAfter = (earlier: string, content: string): WireMessage => ({
  role: "user",
  content: `${earlier}\n\n${content.toWellFormed()}`,
});

interface Known {
  readonly names: WireNames;
  readonly ids: WireIds;
}

function toOpenAIMessage(message: Message, known: Known): WireMessage {
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
  { content, names, ids }: Known & { content: string },
): WireMessage {
  if (toolCalls.length === 0) return { role: "assistant", content };
  const sentIds = ids.ofCalls(toolCalls);
  const tool_calls = toolCalls.map((call, index) => toWireCall(call, sentIds[index] ?? "", names));
  return { role: "assistant", content: content || null, tool_calls };
}

/** Arguments that are no JSON object would make a server's template fail, which shows as a 500. */
const toWireCall = ({ name, arguments: args }: ToolCall, id: string, names: WireNames) => ({
  id,
  type: "function" as const,
  function: {
    name: names.toSent(name),
    arguments: isJsonObject(args) ? args.toWellFormed() : "{}",
  },
});
