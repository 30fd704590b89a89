import { AgnoChatError } from "../errors.js";

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Parses a duration such as `90s`, `30m`, `24h` or `7d` to milliseconds.
 * @param flag The flag it was given with, for the error message.
 * @throws {AgnoChatError} `USAGE`
 */
export function parseDuration(text: unknown, flag: string): number {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(String(text)) ?? [];
  if (number !== undefined) return Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  throw new AgnoChatError("USAGE", `${flag} ${JSON.stringify(text)} is not a duration.`, {
    hint: "Use for example 90s, 30m, 24h or 7d.",
  });
}
