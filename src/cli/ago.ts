const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long ago an ISO time was, in words: `just now`, `5 minutes ago`, `yesterday`. After a week it
 * is the date: `on 2026-01-31`.
 */
export function ago(time: string, now = Date.now()): string {
  const passed = now - Date.parse(time);
  if (passed < MINUTE) return "just now";
  if (passed >= 7 * DAY) return `on ${new Date(time).toLocaleDateString("sv")}`;
  const [unit, length] = UNITS.find(([, least]) => passed >= least) ?? UNITS[2];
  return WORDS.format(-Math.floor(passed / length), unit);
}

const UNITS = [
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
] as const;

const WORDS = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
