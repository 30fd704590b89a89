import type { Message } from "../../messages.js";
import type { ModelRequest } from "../../models/model.js";

/** A request as text: one block for each message, then the names of the tools. */
export function contextText({ messages, tools = [] }: ModelRequest): string {
  const blocks = messages.map((message) => `[${message.role}] ${bodyOf(message)}\n`);
  if (tools.length > 0) blocks.push(`[tools] ${tools.map(({ name }) => name).join(", ")}\n`);
  return blocks.length > 0 ? blocks.join("") : "Nothing: no instructions and no history.\n";
}

function bodyOf(message: Message): string {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return [message.content, ...calls.map((call) => `→ ${call.name}(${call.arguments})`)]
    .filter((part) => part !== "")
    .join("\n");
}
