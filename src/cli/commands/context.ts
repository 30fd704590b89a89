import type { Context } from "../context.js";
import { agentOf, modelOf, withMemory } from "../open.js";
import { contextText } from "../render/context-text.js";

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
