import { isObject } from "../json.js";
import type { AssistantMessage, Message, ToolCall } from "../messages.js";
import type { ToolSpec } from "../models/model.js";
import type { ReceivedRequest } from "./recorder.js";

type Fields = Readonly<Record<string, unknown>>;

/** A chat.completions request in our terms; undefined if it is not one. */
export function toReceivedRequest({ messages, tools }: Fields): ReceivedRequest | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const received = messages.map(toMessage);
  if (received.includes(undefined)) return undefined;
  const specs = Array.isArray(tools) ? tools.flatMap(toSpec) : [];
  return { messages: received as Message[], ...(specs.length > 0 && { tools: specs }) };
}

function toMessage(value: unknown): Message | undefined {
  if (!isObject(value)) return undefined;
  const { role, tool_call_id: callId } = value;
  const content = textOf(value.content);
  if (content === undefined) return undefined;
  if (role === "system" || role === "developer") return { role: "system", content };
  if (role === "user") return { role, content };
  if (role === "tool" || role === "function")
    return { role: "tool", content, toolCallId: typeof callId === "string" ? callId : "" };
  return role === "assistant" ? toAssistant(content, value.tool_calls) : undefined;
}

/** The text of a content: a string, null, or parts, of which those without text are empty. */
function textOf(content: unknown): string | undefined {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part: unknown) => {
      if (typeof part === "string") return part;
      return isObject(part) && typeof part.text === "string" ? part.text : "";
    })
    .join("\n");
}

function toAssistant(content: string, calls: unknown): AssistantMessage {
  const toolCalls = Array.isArray(calls) ? calls.flatMap(toCall) : [];
  return { role: "assistant", content, ...(toolCalls.length > 0 && { toolCalls }) };
}

function toCall(value: unknown): ToolCall[] {
  if (!isObject(value) || !isObject(value.function)) return [];
  const { name, arguments: text } = value.function;
  return [{ id: String(value.id), name: String(name), arguments: String(text) }];
}

function toSpec(value: unknown): ToolSpec[] {
  if (!isObject(value) || !isObject(value.function)) return [];
  const { name, description, parameters } = value.function;
  if (typeof name !== "string") return [];
  return [
    {
      name,
      description: typeof description === "string" ? description : "",
      parameters: isObject(parameters) ? parameters : { type: "object" },
    },
  ];
}
