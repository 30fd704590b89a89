import type { Context } from "../command-context.js";
import { chooseModel, type Endpoint, resolveEndpoint } from "../model-choice.js";
import { withinTimeout } from "../time-limit.js";

/** `models`: lists the models the server offers. */
export async function models(context: Context): Promise<void> {
  const { io, options, output, settings } = context;
  const choice = chooseModel(settings, io.env);
  const found =
    choice.kind === "built-in"
      ? [choice.spec]
      : await withinTimeout(context, (signal) => listed(choice.endpoint, signal));
  if (options.json) output.document({ ok: true, models: found });
  else for (const model of found) output.write(`${model}\n`);
}

async function listed(endpoint: Endpoint, signal: AbortSignal): Promise<string[]> {
  const { listModels } = await import("../../models/openai.js");
  return listModels({ ...(await resolveEndpoint(endpoint, signal)), signal });
}
