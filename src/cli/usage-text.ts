import {
  type HistorySum,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageSum,
} from "../data/history-sum.js";
import { AgnoChatError } from "../errors.js";
import { Columns } from "./columns.js";
import type { Prices } from "./prices.js";
import { textWidth } from "./render/width.js";
import { count } from "./words.js";

export interface UsageTextOptions {
  readonly by: UsageGroup;
  /** Undefined: no money is shown. */
  readonly prices: Prices | undefined;
  /** The width of the terminal, for bars; undefined where nobody looks. */
  readonly columns: number | undefined;
  /** How many days, models or sessions are shown at most: the latest, or the largest. */
  readonly most?: number | undefined;
}

/** @throws {AgnoChatError} `USAGE` */
export function usageGroup(named: string | undefined): UsageGroup {
  const group = USAGE_GROUPS.find((each) => each === (named ?? "day"));
  if (group !== undefined) return group;
  throw new AgnoChatError("USAGE", `Tokens cannot be grouped by ${JSON.stringify(named)}.`, {
    hint: `Known: ${USAGE_GROUPS.join(", ")}.`,
  });
}

/** The use of tokens: a row per day, model or session, the sum, and what the numbers do not say. */
export function usageText(sum: HistorySum, options: UsageTextOptions): string {
  const { by, prices, columns } = options;
  if (sum.usage.calls === 0) return "no replies yet\n";
  const all = ordered(sum, by);
  const most = options.most ?? Infinity;
  const groups = by === "day" ? all.slice(-most) : all.slice(0, most);
  const rows = all.length > 1 ? [...groups, ["all", sum.usage] as const] : groups;
  const title = `tokens of the replies that are kept, by ${by}`;
  const table = new Columns()
    .textOf([
      [
        by === "day" ? "day (UTC)" : by,
        "calls",
        "input",
        "output",
        ...(prices ? [prices.currency] : []),
      ],
      ...rows.map(([key, each]) => [key, ...cellsOf(each, prices)]),
    ])
    .trimEnd()
    .split("\n");
  const lines = columns === undefined ? table : withBars(table, groups, columns);
  const hidden = all.length - groups.length;
  const more = hidden > 0 ? [`${count(hidden, by)} more: agno-chat stats --by ${by}`] : [];
  return `${[title, ...lines, ...more, ...remarks(sum.usage, prices)].join("\n")}\n`;
}

type Row = readonly [key: string, sum: UsageSum];

/** Days as they follow each other; otherwise what has used most comes first. */
const ordered = ({ groups }: HistorySum, by: UsageGroup): Row[] =>
  [...groups].sort(([oneKey, one], [otherKey, other]) =>
    by === "day" ? (oneKey < otherKey ? -1 : 1) : tokensOf(other) - tokensOf(one),
  );

const tokensOf = ({ inputTokens, outputTokens }: UsageSum): number => inputTokens + outputTokens;

function cellsOf(sum: UsageSum, prices: Prices | undefined): string[] {
  const about = sum.estimated > 0 ? "~" : "";
  return [
    `${sum.calls}`,
    `${about}${sum.inputTokens}`,
    `${about}${sum.outputTokens}`,
    ...(prices === undefined ? [] : [costText(sum, about)]),
  ];
}

/** Small sums need their digits: a reply of a small model costs a hundredth of a cent. */
function costText({ cost, unpriced, calls, uncounted }: UsageSum, about: string): string {
  if (unpriced > 0 && unpriced === calls - uncounted) return "-";
  return `${about}${cost.toFixed(cost < 1 ? 4 : 2)}${unpriced > 0 ? "+" : ""}`;
}

const WIDEST_BAR = 40;

/** Behind each day, model or session, its tokens beside those of the largest. */
function withBars(table: readonly string[], groups: readonly Row[], columns: number): string[] {
  const width = Math.max(...table.map(textWidth)) + 2;
  const room = Math.min(WIDEST_BAR, columns - width - 1);
  const largest = Math.max(...groups.map(([, sum]) => tokensOf(sum)));
  return table.map((line, index) => {
    const group = groups[index - 1];
    const tokens = group === undefined ? 0 : tokensOf(group[1]);
    if (tokens === 0 || room < 5) return line;
    return line + " ".repeat(width - textWidth(line)) + bar((tokens / largest) * room);
  });
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** At least a sliver, so that little is not nothing. */
function bar(cells: number): string {
  const eighths = Math.max(1, Math.round(cells * 8));
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

function remarks(
  { estimated, uncounted, unpriced }: UsageSum,
  prices: Prices | undefined,
): string[] {
  return [
    ...(estimated > 0
      ? [`~ ${count(estimated, "call")} estimated: the server did not count.`]
      : []),
    ...(uncounted > 0
      ? [`${count(uncounted, "call")} without a count, such as interrupted ones.`]
      : []),
    ...(prices && unpriced > 0 ? [`+ ${count(unpriced, "call")} of models without a price.`] : []),
  ];
}
