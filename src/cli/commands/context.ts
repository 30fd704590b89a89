import { Agent } from "../../agent/agent.js";
import type { Context } from "../command-context.js";
import { configuredRequest, openConfiguredModel, withMemory } from "../open-agent.js";
import { contextText } from "../render/context-text.js";

/** `context`: shows the request the next message would produce, without that message. */
export async function showContext(context: Context): Promise<void> {
  const { options, output, settings } = context;
  const { user, session, historyLimit, historyTokens = Infinity } = settings.values;
  const model = await openConfiguredModel(context);
  const { pictures: _, ...request } = await withMemory(context, async (memory) =>
    new Agent({ model, memory, ...(await configuredRequest(context)) }).context({
      userId: user,
      sessionId: session,
    }),
  );
  if (options.json) output.document({ ok: true, user, session, model: model.name, ...request });
  else output.write(contextText(request, { model: model.name, historyLimit, historyTokens }));
}
