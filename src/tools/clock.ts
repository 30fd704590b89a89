import { defineTool } from "./define-tool.js";
import type { Toolkit } from "./tool.js";

export interface ClockOptions {
  /** Returns the current time. Default: the system's clock. */
  readonly now?: () => Date;
}

/** Toolkit `clock`: one tool, `current_time`. */
export const clock = ({ now = () => new Date() }: ClockOptions = {}): Toolkit => ({
  name: "clock",
  tools: [
    defineTool<{ readonly timeZone?: string }>({
      name: "current_time",
      description:
        "Returns the current date, time and weekday in an IANA time zone. " +
        "Default: the system's time zone.",
      parameters: {
        type: "object",
        properties: {
          timeZone: { type: "string", description: "IANA time zone, for example Asia/Tokyo" },
        },
        additionalProperties: false,
      },
      execute: ({ timeZone }) => currentTime(now(), timeZone),
    }),
  ],
});

/**
 * For example `{ date: "2026-03-01", time: "09:05:00", weekday: "Sunday", timeZone: "Asia/Tokyo",
 * utc: "2026-…Z" }`.
 */
function currentTime(now: Date, timeZone: string | undefined) {
  const format = formatFor(timeZone);
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  return {
    date: `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`,
    time: `${parts.get("hour")}:${parts.get("minute")}:${parts.get("second")}`,
    weekday: parts.get("weekday"),
    timeZone: zoneNameOf(format, now),
    utc: now.toISOString(),
  };
}

/**
 * Returns the offset, such as `UTC-03:00`, for a system time zone without a name, such as
 * `TZ=UTC+3`.
 */
function zoneNameOf(format: Intl.DateTimeFormat, now: Date): string {
  const { locale, timeZone } = format.resolvedOptions();
  if (timeZone !== undefined && timeZone !== "Etc/Unknown") return timeZone;
  const parts = new Intl.DateTimeFormat(locale, { timeZoneName: "longOffset" }).formatToParts(now);
  return `${parts.find(({ type }) => type === "timeZoneName")?.value}`.replace("GMT", "UTC");
}

function formatFor(timeZone: string | undefined): Intl.DateTimeFormat {
  const digits = "2-digit";
  try {
    return new Intl.DateTimeFormat("en-GB", {
      ...{ year: "numeric", month: digits, day: digits, weekday: "long" },
      ...{ hour: digits, minute: digits, second: digits, hourCycle: "h23" },
      timeZone,
    });
  } catch {
    throw new Error(
      `There is no time zone ${JSON.stringify(timeZone)}. Use an IANA name such as Europe/Paris.`,
    );
  }
}
