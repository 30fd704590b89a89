import type { HistorySum, UsageGroup, UsageSum } from "../../data/history-sum.js";
import type { LimitName } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { limitsIn, limitsOf, withMemory } from "../open-agent.js";
import { type Prices, pricesOf } from "../prices.js";
import { Progress } from "../progress.js";
import { columnsOf } from "../render/terminal-size.js";
import { namedSession } from "../settings/settings.js";
import { sumHistory } from "../sum-history.js";
import { usageGroup, usageText } from "../usage-text.js";

const WORDS: Readonly<Record<LimitName, string>> = {
  tokensPerDay: "tokens today (UTC)",
  requestsPerMinute: "requests this minute",
  runsAtOnce: "runs under way",
  bytesKept: "bytes kept",
};

export interface StatsOptions {
  readonly by?: string;
}

/** `stats`: the tokens of the replies that are kept of a user, and what the user may use. */
export async function stats(
  context: Context,
  _args: string[],
  { by: named }: StatsOptions,
): Promise<void> {
  const { options, output, settings, signal, io } = context;
  const { user } = settings.values;
  const by = usageGroup(named);
  const sessionId = namedSession(settings);
  const prices = await pricesOf(context);
  await withMemory(context, async (memory) => {
    const limits = await limitsOf(memory).use(user, limitsIn(settings));
    const sum = await sumHistory((page) => memory.getMessages(user, { ...page, sessionId }), {
      ...{ by, priceOf: prices?.of, signal },
      progress: new Progress(context),
    });
    if (options.json)
      return output.document({
        ...{ ok: true, user, session: sessionId ?? null, messages: sum.messages },
        ...usageDocument(sum, by, prices),
        ...Object.fromEntries(
          limits.map(({ limit, used, allowed = null }) => [limit, { used, allowed }]),
        ),
      });
    const columns = io.stdout.isTTY ? columnsOf(io.stdout) : undefined;
    const where = sessionId === undefined ? "" : ` in ${sessionId}`;
    output.write(`${user}${where}: ${usageText(sum, { by, prices, columns })}\n`);
    output.table([
      ["limit", "used", "allowed"],
      ...limits.map(({ limit, used, allowed }) => [WORDS[limit], `${used}`, `${allowed ?? "-"}`]),
    ]);
  });
}

const usageDocument = (sum: HistorySum, by: UsageGroup, prices: Prices | undefined) => {
  const numbers = ({ cost, unpriced, ...usage }: UsageSum) => ({
    ...usage,
    ...(prices === undefined ? {} : { cost: Number(cost.toFixed(6)), unpriced }),
  });
  const groups = [...sum.groups].map(([key, usage]) => ({ [by]: key, ...numbers(usage) }));
  return { by, currency: prices?.currency ?? null, total: numbers(sum.usage), groups };
};
