import { sizeOf } from "../../memory/history-size.js";
import type { Context } from "../command-context.js";
import { withMemory } from "../open-agent.js";
import { namedSession } from "../settings/settings.js";
import { sizeText } from "../words.js";

/** `size`: counts what is stored for one user, in one session or in all. */
export async function size(context: Context): Promise<void> {
  const { options, output, settings } = context;
  const { user } = settings.values;
  const session = namedSession(settings);
  const total = await withMemory(context, async (memory) =>
    sizeOf(await memory.sessions(user), session),
  );
  if (options.json) output.document({ ok: true, user, session: session ?? null, ...total });
  else
    output.write(`${user}${session === undefined ? "" : ` in ${session}`}: ${sizeText(total)}\n`);
}
