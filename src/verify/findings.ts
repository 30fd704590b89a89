import type { Finding } from "./finding.js";

/** Takes findings as they are made. */
export type Report = (findings: readonly Finding[]) => void;

/** The findings of one check. */
export class Findings {
  readonly all: Finding[] = [];
  readonly report: Report;

  /** @param onFinding Takes them as well. */
  constructor(onFinding?: Report) {
    this.report = (found) => {
      this.all.push(...found);
      onFinding?.(found);
    };
  }
}
