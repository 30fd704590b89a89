import type { LimitName } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { limitsIn, limitsOf, withMemory } from "../open-agent.js";

const WORDS: Readonly<Record<LimitName, string>> = {
  tokensPerDay: "tokens today (UTC)",
  requestsPerMinute: "requests this minute",
  runsAtOnce: "runs under way",
  bytesKept: "bytes kept",
};

/** `stats`: what a user has used, and may use. */
export async function stats(context: Context): Promise<void> {
  const { options, output, settings } = context;
  const { user } = settings.values;
  const use = await withMemory(context, async (memory) =>
    limitsOf(memory).use(user, limitsIn(settings)),
  );
  if (options.json) {
    const limits = use.map(({ limit, used, allowed = null }) => [limit, { used, allowed }]);
    return output.document({ ok: true, user, ...Object.fromEntries(limits) });
  }
  const heads = [user, "used", "allowed"];
  const rows = use.map(({ limit, used, allowed }) => [
    WORDS[limit],
    `${used}`,
    `${allowed ?? "-"}`,
  ]);
  output.table([heads, ...rows]);
}
