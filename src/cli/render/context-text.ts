import type { LeftOut, NextRequest } from "../../agent/next-request.js";
import { isPicture } from "../../attachments.js";
import { attachmentsOf, type Message } from "../../messages.js";
import { count } from "../words.js";

/** What may leave messages out, with its values. */
interface Limits {
  readonly model: string;
  readonly historyLimit: number;
  readonly historyTokens: number;
}

/** A request as text: a block for each message, then the tools, the tokens and what is missing. */
export function contextText(request: NextRequest, limits: Limits): string {
  const { messages, tools = [], tokens, historyTokens, leftOut } = request;
  const blocks = messages.map((message) => `[${message.role}] ${bodyOf(message)}\n`);
  if (tools.length > 0) blocks.push(`[tools] ${tools.map(({ name }) => name).join(", ")}\n`);
  const missing = missingText(leftOut, limits);
  if (missing !== "") blocks.push(`[left out] ${missing}\n`);
  if (blocks.length === 0) return "Nothing: no instructions and no history.\n";
  return `${blocks.join("")}[tokens] about ${tokens}, ${historyTokens} of them history\n`;
}

function missingText(leftOut: LeftOut, { model, historyLimit, historyTokens }: Limits): string {
  const reasons = [
    [leftOut.historyLimit, `by --history ${historyLimit}`],
    [leftOut.historyTokens, `by --history-tokens ${historyTokens}`],
    [leftOut.model, `too long for ${model}`],
  ] as const;
  return reasons
    .filter(([messages]) => messages > 0)
    .map(([messages, reason]) => `${count(messages, "message")} ${reason}`)
    .join(", ");
}

function bodyOf(message: Message): string {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const pictures = attachmentsOf(message).filter(({ type }) => isPicture(type));
  const named = pictures.map(({ name, type, bytes }) => `→ ${name} (${type}, ${bytes} bytes)`);
  return [message.content, ...named, ...calls.map((call) => `→ ${call.name}(${call.arguments})`)]
    .filter((part) => part !== "")
    .join("\n");
}
