import { AgnoChatError } from "../errors.js";
import type { LimitName, Limits, LimitUse } from "./memory.js";

/** What a user has used of each limit. */
export type UsedLimits = Readonly<Record<LimitName, number>>;

/** How long until a limit is free again, in milliseconds. */
export interface LimitWaits {
  readonly minuteMs: number;
  readonly dayMs: number;
}

export const LIMIT_NAMES = [
  "tokensPerDay",
  "requestsPerMinute",
  "runsAtOnce",
  "bytesKept",
] as const satisfies readonly LimitName[];

export const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The UTC day of a time, as the number of days since 1970. */
export const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** How long until the minute that began then, and the UTC day, are over. */
export const waitsAt = (time: number, minute: number): LimitWaits => ({
  minuteMs: Math.max(0, minute + MINUTE_MS - time),
  dayMs: (dayOf(time) + 1) * DAY_MS - time,
});

/** A user's own limits, and those of everybody for the others. */
export const limitsOver = (own: Limits | undefined, everybody: Limits): Limits =>
  Object.fromEntries(
    LIMIT_NAMES.flatMap((name) => {
      const limit = own?.[name] ?? everybody[name];
      return limit === undefined ? [] : [[name, limit]];
    }),
  );

export const limitsNothing = (limits: Limits): boolean =>
  LIMIT_NAMES.every((name) => limits[name] === undefined);

/** All limits, also those that are not set. */
export const useOf = (used: UsedLimits, limits: Limits): LimitUse[] =>
  LIMIT_NAMES.map((limit) => ({ limit, used: used[limit], allowed: limits[limit] }));

/** Only the limits that are set. */
export const setUseOf = (used: UsedLimits, limits: Limits): LimitUse[] =>
  useOf(used, limits).filter(({ allowed }) => allowed !== undefined);

/**
 * Refuses a run of a user who has used up a limit.
 * @example
 * const used = { tokensPerDay: 50, requestsPerMinute: 1, runsAtOnce: 0, bytesKept: 4_000 };
 * const waits = { minuteMs: 20_000, dayMs: 3_600_000 };
 * refuseOver(used, { tokensPerDay: 51 }, waits); // may begin
 * try {
 *   refuseOver(used, { tokensPerDay: 50 }, waits);
 * } catch (error) {
 *   if (error instanceof AgnoChatError) console.log(error.code, error.retryAfter); // BUDGET 3600
 * }
 * @throws {AgnoChatError} `BUDGET`, `RATE_LIMITED`, `BUSY`
 */
export function refuseOver(used: UsedLimits, limits: Limits, waits: LimitWaits): void {
  for (const name of LIMIT_NAMES) {
    const allowed = limits[name];
    if (allowed !== undefined && used[name] >= allowed) throw refusal(name, allowed, waits);
  }
}

function refusal(name: LimitName, allowed: number, { minuteMs, dayMs }: LimitWaits): AgnoChatError {
  switch (name) {
    case "tokensPerDay":
      return new AgnoChatError(
        "BUDGET",
        `Today's limit of ${count(allowed, "token")} is used up.`,
        {
          hint: "Go on after midnight UTC.",
          retryAfter: Math.ceil(dayMs / 1000),
        },
      );
    case "bytesKept":
      return new AgnoChatError(
        "BUDGET",
        `The room for messages, ${count(allowed, "byte")}, is full.`,
        {
          hint: "Clear a session or the whole history first.",
        },
      );
    case "requestsPerMinute":
      return new AgnoChatError(
        "RATE_LIMITED",
        `Only ${count(allowed, "message")} a minute can be sent.`,
        { hint: "Wait a little, then try again.", retryAfter: Math.ceil(minuteMs / 1000) },
      );
    case "runsAtOnce":
      return new AgnoChatError(
        "BUSY",
        `Only ${count(allowed, "reply", "replies")} at once can be had.`,
        {
          hint: "Wait for a reply, then try again.",
          retryAfter: 1,
        },
      );
  }
}

const count = (number: number, one: string, many = `${one}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
