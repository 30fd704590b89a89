import { AgnoChatError } from "../errors.js";

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A text such as `90s`, `30m`, `24h` or `7d` in milliseconds.
 * @param flag Names the text in the error.
 * @throws {AgnoChatError} `USAGE`
 */
export function durationOf(text: unknown, flag: string): number {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(String(text)) ?? [];
  if (number !== undefined) return Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  throw new AgnoChatError("USAGE", `${flag} ${JSON.stringify(text)} is no length of time.`, {
    hint: "Say for example 90s, 30m, 24h or 7d.",
  });
}
