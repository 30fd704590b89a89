import type { Finding } from "./finding.js";

/** Takes findings as they are made. */
export type Report = (findings: readonly Finding[]) => void;

/** The findings of one check. */
export class Findings {
  readonly all: Finding[] = [];
  readonly report: Report;

  /** @param onFinding Called whenever there are more. */
  constructor(onFinding?: () => void) {
    this.report = (found) => {
      this.all.push(...found);
      if (found.length > 0) onFinding?.();
    };
  }
}
