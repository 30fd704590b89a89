/** `1 message`, `2 messages`. */
export const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? "" : "s"}`;

/** `512 bytes`, `12 kB`, `3.4 MB`. */
export function bytesText(bytes: number): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(1, bytes)) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** step;
  if (step === 0) return count(bytes, "byte");
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[step]}`;
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;
