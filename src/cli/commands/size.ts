import { countsOf } from "../../memory/counts.js";
import type { Context } from "../command-context.js";
import { leftOutOf } from "../left-out.js";
import { withMemory } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedSession } from "../settings/settings.js";
import { sizeText } from "../size-text.js";
import { sumHistory } from "../sum-history.js";

/** `size`: counts what is stored for one user, in one session or in all. */
export async function size(context: Context): Promise<void> {
  const { options, output, settings, signal } = context;
  const { user, historyLimit, historyTokens = Infinity } = settings.values;
  const limits = { historyLimit, historyTokens };
  const sessionId = namedSession(settings);
  await withMemory(context, async (memory) => {
    const { messages, runs, bytes } = await countsOf(memory, user, { sessionId });
    const size = { messages, runs, bytes };
    const progress = new Progress(context);
    const sum = await sumHistory((page) => memory.getMessages(user, { ...page, sessionId }), {
      signal,
      progress,
    });
    const leftOut = await leftOutOf(memory, { userId: user, sessionId, ...limits });
    const { oldest = null, newest = null, usage } = sum;
    if (options.json) {
      const { inputTokens, outputTokens, estimated } = usage;
      const tokens = { inputTokens, outputTokens, estimated: estimated > 0 };
      const kept = { ...size, ...tokens, oldest, newest };
      const told = { historyLimit, historyTokens: settings.values.historyTokens ?? null };
      const whose = { user, session: sessionId ?? null };
      return output.document({ ok: true, ...whose, ...kept, ...told, leftOut });
    }
    const where = sessionId === undefined ? "" : ` in ${sessionId}`;
    output.write(`${user}${where}: ${sizeText({ size, sum, limits, leftOut })}`);
  });
}
