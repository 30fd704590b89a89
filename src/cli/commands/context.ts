import type { Message } from "../../messages.js";
import type { ModelRequest } from "../../models/model.js";
import type { Context } from "../context.js";
import { agentOf, modelOf, withMemory } from "../open.js";

/** `context`: what the model would be sent next for one user, but for the new message. */
export async function showContext(context: Context): Promise<void> {
  const { options, output, settings } = context;
  const { user, session } = settings.values;
  const model = await modelOf(context);
  const request = await withMemory(context, async (memory) =>
    (await agentOf(context, { model, memory })).context({ userId: user, sessionId: session }),
  );
  if (options.json) output.document({ ok: true, user, session, model: model.name, ...request });
  else output.write(contextText(request));
}

/** A request as text: one block a message, then the names of the tools. */
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
