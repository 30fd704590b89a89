/** Fewer rounds and no large histories, for `npm run bench:check`. */
export const isShort = process.argv.includes("--short");

export const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;

/** Prints a ratio in the form that `npm run bench:check` reads: `1.50x  what / what else`. */
export function reportRatio(ratio: number, what: string, details = ""): void {
  // A repeated read takes a hundredth of a bare one, and less.
  const rounded = ratio < 0.1 ? ratio.toFixed(4) : ratio.toFixed(2);
  const line = `${`${rounded}x`.padStart(8)}  ${what}`;
  console.log(details === "" ? line : `${line}  (${details})`);
}
