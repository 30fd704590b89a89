import { withoutPrefix } from "../users.js";
import { lineOf } from "./junit.js";
import type { VerifyReport } from "./report.js";

const MOST_FINDINGS = 20;

/** The report in GitHub's Markdown, for a job summary. */
export function markdownText(report: VerifyReport): string {
  const { matrix, checks, findings, findingCount, gaps, notProved } = report;
  const names = matrix.map(({ user }) => code(user));
  const parts = [
    `## agno-chat verify: ${report.verdict}`,
    `Evidence: ${report.evidence.join(", ")}. ${countsOf(report)}`,
    matrix.length > 0 ? [`| saw | ${names.join(" | ")} |`, ruleOf(matrix.length + 1)] : [],
    matrix.map(({ user, saw }) => `| ${code(user)} | ${saw.map(cellOf).join(" | ")} |`),
    ["", "| check | |", "|---|---|"],
    checks.map(({ shows, ok, findings: count }) => `| ${shows} | ${ok ? "ok" : `**${count}**`} |`),
    findings.length > 0 ? ["", `### ${findingCount} findings`, ""] : [],
    findings.slice(0, MOST_FINDINGS).map((finding) => `- ${code(lineOf(finding))}`),
    gaps.length > 0 ? ["", "### Not shown", "", ...gaps.map((gap) => `- ${gap}`)] : [],
    ["", `Not proved: ${notProved.join("; ")}.`],
  ];
  return `${parts
    .map((part) => (typeof part === "string" ? `${part}\n` : part.join("\n")))
    .filter((part) => part !== "")
    .join("\n")}\n`;
}

const countsOf = ({ runs, requests, pairs, planted, canaries, seed }: VerifyReport): string =>
  [
    `${runs} runs, ${requests} requests, ${canaries.planted} planted texts`,
    `${pairs.overlapped} of ${pairs.of} pairs of users overlapped`,
    `the judge found ${planted.found} of ${planted.of} planted leaks`,
    `seed ${seed}.`,
  ].join("; ");

const ruleOf = (columns: number): string => `|${"---|".repeat(columns)}`;

const cellOf = (count: number): string => (count === 0 ? "·" : String(count));

/** Code, in which nothing means anything but a backquote and, in a table, a bar. */
const code = (text: string): string =>
  `\`${withoutPrefix(text).replaceAll("`", "'").replaceAll("|", "\\|")}\``;
