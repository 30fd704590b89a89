import type { VerifyReport } from "./report.js";

const COLOURS = { isolated: "brightgreen", leak: "red", "not-shown": "lightgrey" } as const;

/** A badge in the endpoint format of shields.io. */
export const badgeText = ({ verdict }: VerifyReport): string =>
  `${JSON.stringify({
    schemaVersion: 1,
    label: "isolation",
    message: verdict,
    color: COLOURS[verdict],
  })}\n`;
